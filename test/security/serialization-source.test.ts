import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

// What a linter does not know: calls that turn text into code, SQL, patterns or objects. Each rule names the files that
// may, and why.

const sources = globSync(['src/**/*.ts', 'packages/*/src/**/*.ts'], { exclude: ['src/generated/**'] }).map(
  (file) => [file, withoutComments(readFileSync(file, 'utf8'))] as const,
);

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

interface Rule {
  readonly name: string;
  readonly forbidden: RegExp;
  readonly except?: Readonly<Record<string, string>>;
  /** Breaks the rule: the pattern finds it. */
  readonly example: string;
}

const rules: readonly Rule[] = [
  {
    name: 'SQL is a tagged template, never a text [practice 3.4] [ASVS 1.2.4]',
    forbidden: /\$(?:query|execute)RawUnsafe\s*[(<]|\bPrisma\.raw\s*\(|\$(?:query|execute)Raw\s*(?:<[^>]*>)?\(\s*[`'"]/,
    except: {
      'packages/field-encryption/src/extension/column-faults.ts': 'names of tables and columns of the schema',
      'src/database/insertion.ts': 'names of tables and columns of the schema and of the code',
      'src/users/subject-rows.ts': 'names of tables and columns of the schema',
    },
    example: 'db.$queryRawUnsafe(text)',
  },
  {
    name: 'no pattern is made of what somebody sent [ASVS 1.2.9]',
    forbidden: /\bRegExp\s*\(/,
    except: {
      'src/auth/factors/recovery-codes/recovery-code.ts': 'a constant of the file',
      'src/security/audit/audit-seals/audit-sealing.ts': 'a constant of the file',
      'src/common/http/fields.ts': 'a number of the declaration',
      'src/common/http/route-table.ts': 'the routes of the code, at boot',
      'src/security/logging/logger.ts': 'a constant of the file',
    },
    example: 'new RegExp(query.q)',
  },
  {
    name: 'nothing but JSON makes objects of bytes [ASVS 1.5.2]',
    forbidden: /\bv8\b|\bdeserialize\b|\byaml\b|node-serialize|\bunserialize\b|\bmsgpack\b|\bbson\b/i,
    except: {
      'src/security/detection/detection.settings.ts': 'says the form of the file',
      'src/security/detection/rules-file.ts': 'a file of the owner, at boot, as a tree whose every node is looked at',
    },
    example: "import { deserialize } from 'node:v8'",
  },
  {
    name: 'no text becomes code [ASVS 1.3.2]',
    forbidden:
      /\beval\s*\(|\bnew Function\b|\bFunction\s*\(['"`]|node:vm\b|\bsetTimeout\s*\(\s*['"`]|\bimport\s*\(\s*[^'"\s]/,
    except: { 'src/shared-state/redis-probe.ts': 'a script of the file, which Redis runs' },
    example: 'await import(name)',
  },
  {
    name: 'ciphers are in the package alone: one mode, one way to make nonces [practice 7.3] [ASVS 11.3.4]',
    forbidden: /\b(?:Cipheriv|create(?:C|Dec)ipheriv|(?:public|private)(?:En|De)crypt|\w+Encrypt)\b|\.(?:en|de)crypt\(/,
    except: {
      'packages/field-encryption/src/cells/aes-gcm.ts': 'AES-256-GCM',
      'packages/field-encryption/src/key-wrappers/aws-kms.ts': 'asks AWS KMS',
    },
    example: "import { createCipheriv } from 'node:crypto'",
  },
  {
    name: 'no text becomes a command [ASVS 1.2.5]',
    forbidden: /child_process|\bexecSync\b|\bspawn(?:Sync)?\s*\(/,
    example: "import { exec } from 'node:child_process'",
  },
  {
    name: 'JSON comes from a serialiser, never from glued strings [ASVS 1.2.3]',
    // A brace, a quoted name, a colon and a hole: in a template, or between two quotes and a plus.
    forbidden: /`[^`]*\{\s*"\w+"\s*:[^`]*\$\{|'\{\s*"\w+"\s*:[^']*'\s*\+/,
    example: '`{"name":"${name}"}`',
  },
  {
    name: 'no page is made by writing HTML into a document [practice 3.3] [ASVS 1.2.1]',
    forbidden: /\.(?:innerHTML|outerHTML)\s*=|insertAdjacentHTML|document\.write|createContextualFragment/,
    example: 'part.innerHTML = text',
  },
];

describe('How the service and its packages turn values into text, and text into values', () => {
  it('there is something to look at', () => expect(sources.length).toBeGreaterThan(150));

  it.each(rules)('$name', ({ forbidden, except = {}, example }) => {
    expect(example).toMatch(forbidden);
    const found = sources.filter(([, text]) => forbidden.test(text)).map(([file]) => file);
    // Equal, not contained: an exception that nothing needs any more goes.
    expect(found.toSorted()).toEqual(
      Object.keys(except)
        .filter((file) => existsSync(file))
        .toSorted(),
    );
  });
});
