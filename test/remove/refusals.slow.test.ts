import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SmallProject } from './project.js';

// Each in a small project of its own git repository; whatever is refused has changed nothing.

let project: SmallProject;
let before: Record<string, string>;
beforeAll(() => {
  project = new SmallProject();
});
afterAll(() => project.delete());
beforeEach(() => {
  project.git('checkout', '--quiet', '.');
  project.git('clean', '--quiet', '--force', '-d');
  before = project.everything();
});

async function refusalOf(...args: readonly string[]): Promise<string> {
  const [status, said] = await project.remove(args);
  expect([status, said]).toEqual([1, expect.stringMatching(/^nothing was changed: /)]);
  expect(project.everything()).toEqual(before);
  return said;
}

describe('npm run remove refuses, and changes nothing [practice 11.1]', () => {
  it('a part that is not there', async () => {
    expect(await refusalOf('gamma')).toContain('there is no part "gamma": npm run remove -- --list');
  });

  it('a part that others stand on, with the reason', async () => {
    expect(await refusalOf('ground')).toContain('ground stays: all stand on it.');
  });

  it('a part that another one needs, with its name, file and line', async () => {
    expect(await refusalOf('alpha')).toMatch(/alpha is needed by beta\n {2}src\/beta\/beta\.module\.ts:2 /);
  });

  it('a part that a class of the owner uses: file and line are named', async () => {
    project.write(
      'src/mine.ts',
      "\nimport { BetaModule } from './beta/beta.module.js';\nexport const mine = new BetaModule();\n",
    );
    before = project.everything();
    expect(await refusalOf('beta', '--force')).toMatch(/beta is used by what is no part of it:\n {2}src\/mine\.ts:2 /);
  });

  it('a part that is imported where it is used: file and line are named', async () => {
    project.write('src/mine.ts', "export const mine = await import('./beta/beta.module.js');\n");
    before = project.everything();
    expect(await refusalOf('beta', '--force')).toContain('src/mine.ts:1 ');
  });

  it('a work tree with changes that are not committed', async () => {
    project.write('README.md', 'Mine.\n');
    before = project.everything();
    expect(await refusalOf('beta')).toMatch(/not committed: commit them, or use --force to go on\n M README\.md/);
  });

  it('an option that npm kept for itself', async () => {
    const [status, said] = await project.remove(['beta'], { npm_config_dry_run: 'true' });
    expect([status, said]).toEqual([1, 'nothing was changed: npm kept --dry-run for itself: put -- before it\n']);
  });

  it('no name at all, an unknown option, and a folder that names what is not there', async () => {
    expect(await refusalOf()).toContain('name a part');
    expect(await refusalOf('beta', '--purge')).toContain("Unknown option '--purge'");
    project.write('src/gamma/gamma.module.ts', '// Remove: npm run remove gamma; nothing.\n// Needs: delta.\n');
    before = project.everything();
    expect(await refusalOf('beta')).toContain('src/gamma needs delta, which is no part');
  });
});

describe('npm run remove and files that were edited since they came', () => {
  it('lists them, by the record of what the template shipped: --force takes them', async () => {
    const edited = new SmallProject();
    expect(await edited.remove(['--record'])).toEqual([0, '']);
    edited.commit();
    expect(await edited.remove(['beta', '--dry-run'])).toEqual([
      0,
      expect.stringContaining('removed src/beta/beta.module.ts'),
    ]);
    edited.write('src/beta/beta.module.ts', `${edited.read('src/beta/beta.module.ts')}// Mine.\n`);
    edited.commit();
    expect(await edited.remove(['beta', '--dry-run'])).toEqual([
      1,
      'nothing was changed: files that would go were edited since they came: use --force to take them\n' +
        '  src/beta/beta.module.ts\n',
    ]);
    expect((await edited.remove(['beta', '--dry-run', '--force']))[0]).toBe(0);
    edited.delete();
  });

  it('lists those of a feature that was added later, by the commit that brought it', async () => {
    const grown = new SmallProject();
    await grown.remove(['--record']);
    grown.commit();
    grown.write('src/gamma/gamma.module.ts', '// Remove: npm run remove gamma; nothing.\n');
    grown.write('src/gamma/same.ts', '// As it came.\n');
    grown.commit();
    expect((await grown.remove(['gamma', '--dry-run']))[0]).toBe(0);
    grown.write('src/gamma/gamma.module.ts', '// Remove: npm run remove gamma; nothing.\n// Mine.\n');
    grown.commit();
    expect(await grown.remove(['gamma', '--dry-run'])).toEqual([
      1,
      expect.stringMatching(/take them\n {2}src\/gamma\/gamma\.module\.ts\n$/),
    ]);
    grown.delete();
  });
});

describe('npm run remove says what it would do', () => {
  it('--dry-run lists every file, and changes nothing', async () => {
    const [status, said] = await project.remove(['alpha', '--with-dependents', '--dry-run']);
    expect(project.everything()).toEqual(before);
    expect([status, said.trim().split('\n').toSorted()]).toEqual([
      0,
      [
        'edited  README.md',
        'edited  package-lock.json',
        'edited  package.json',
        'edited  prisma/field-names.lock.json',
        'edited  prisma/schema/ground.prisma',
        'edited  scripts/remove/shipped.txt',
        'edited  src/app.module.ts',
        'nothing was changed: leave out --dry-run to do it',
        'removed docs/practices/alpha.md',
        'removed prisma/migrations/20300101000000_alpha/migration.sql',
        'removed prisma/schema/alpha.prisma',
        'removed src/alpha/alpha.module.ts',
        'removed src/alpha/index.ts',
        'removed src/alpha/main.ts',
        'removed src/beta/beta.module.ts',
        'removed test/alpha/alpha.test.ts',
        'removed test/both.test.ts',
      ],
    ]);
  });

  it('--list names every part, what it needs, what needs it, and its lines; then what stays, and why', async () => {
    expect(await project.remove(['--list'])).toEqual([
      0,
      'part   lines  needs  needed by\nalpha  6      -      beta\nbeta   4      alpha  -\n' +
        '\nStay:\nground  all stand on it.\n',
    ]);
  });
});
