import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FieldMap } from '../../../src/security/data-protection/field-encryption/field-map.js';
import { freezeNames, readLock } from '../../../src/security/data-protection/generator/frozen-names.js';

const main = resolve('src/security/data-protection/generator/main.ts');
const head = `generator fieldEncryption {
  provider = "${process.execPath} ${main}"
  output   = "generated"
}
datasource db {
  provider = "postgresql"
}
`;
const headLines = head.split('\n').length - 1;

class Project {
  readonly folder = mkdtempSync(join(tmpdir(), 'schema-'));
  readonly lockFile = join(this.folder, 'field-names.lock.json');

  /** Runs `prisma generate` on the models; gives what it printed. */
  async generate(models: string): Promise<{ ok: boolean; output: string }> {
    mkdirSync(this.folder, { recursive: true });
    const schema = join(this.folder, 'schema.prisma');
    writeFileSync(schema, head + models);
    return new Promise((done) =>
      execFile(process.execPath, ['node_modules/prisma/build/index.js', 'generate', '--schema', schema], (error, stdout, stderr) =>
        done({ ok: error === null, output: stdout + stderr }),
      ),
    );
  }

  map(): FieldMap {
    const text = readFileSync(join(this.folder, 'generated/index.ts'), 'utf8');
    return JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1)) as FieldMap;
  }

  lock(): Record<string, string> {
    return JSON.parse(readFileSync(this.lockFile, 'utf8')) as Record<string, string>;
  }
}

const good = `
model User {
  id         String  @id @db.Uuid
  /// Shown to administrators.
  /// @encrypted(subject: id)
  /// @blindIndex(emailIndex)
  email      String
  emailIndex String? @unique
  notes      Note[]
}
model Note {
  id      String @id
  ownerId String @db.Uuid
  /// @encrypted( subject: ownerId , purpose: pii )
  text    String?
  /// @encrypted(subject: "all-notes", purpose: jwt)
  token   String
  owner   User   @relation(fields: [ownerId], references: [id])
}
`;

// Each run starts Prisma's command line: a second when the machine is idle.
describe('the generator of the field map [practice 7.3]', { timeout: 120_000 }, () => {
  it('writes what the extension needs: ids, frozen names, subjects, purposes, indexes, relations, fixed fields', async () => {
    const project = new Project();
    expect(await project.generate(good)).toMatchObject({ ok: true });
    const { User, Note } = project.map();
    expect(User).toMatchObject({ id: 'id', generatedId: true, uuids: ['id'], fixed: ['id'] });
    expect(User?.encrypted['email']).toEqual({
      name: 'email',
      frozenName: 'User.email',
      subject: { field: 'id' },
      purpose: 'pii',
      index: { column: 'emailIndex', unique: true },
    });
    expect(User?.relations['notes']).toEqual({ model: 'Note', list: true, holdsKey: false, links: { ownerId: 'id' } });
    expect(Note?.encrypted['token']).toMatchObject({ subject: { constant: 'all-notes' }, purpose: 'jwt' });
    expect(Note?.relations['owner']).toEqual({ model: 'User', list: false, holdsKey: true, links: { id: 'ownerId' } });
    expect(Note).toMatchObject({ uuids: ['ownerId'], fixed: ['id', 'ownerId'] });
    expect(project.lock()).toEqual({ 'Note.text': 'Note.text', 'Note.token': 'Note.token', 'User.email': 'User.email' });
  });

  it('is in step with the committed lock and schema of this project', () => {
    const lock = JSON.parse(readFileSync('prisma/field-names.lock.json', 'utf8')) as Record<string, string>;
    const annotated = readFileSync('prisma/schema.prisma', 'utf8').match(/^\s*\/\/\/ @encrypted/gm) ?? [];
    expect(Object.keys(lock)).toHaveLength(annotated.length);
  });

  it('renames a field or a model: caught by the lock, with the line to change', async () => {
    const project = new Project();
    await project.generate(good);
    const renamed = good.replaceAll('email ', 'mail ').replaceAll('User', 'Person');
    const { ok, output } = await project.generate(renamed);
    expect(ok).toBe(false);
    expect(output).toContain('field-names.lock.json: User.email is locked but no longer an encrypted field');
    expect(output).toContain('Renamed (to Person.mail?): rename the key in this file and keep its value "User.email"');
    writeFileSync(project.lockFile, JSON.stringify({ ...project.lock(), 'User.email': undefined, 'Person.mail': 'User.email' }));
    expect(await project.generate(renamed)).toMatchObject({ ok: true });
    expect(project.map()['Person']?.encrypted['mail']?.frozenName).toBe('User.email');
  });

  it('gives the old name of a renamed field to a new one: refused', () => {
    const locked = { 'Person.email': 'User.email' };
    expect(() => freezeNames('lock.json', locked, ['Person.email', 'User.email'])).toThrow(
      'lock.json: the name User.email belongs to another field\'s cells: add "User.email": "User.email.2" to this file',
    );
    expect(freezeNames('lock.json', { ...locked, 'User.email': 'User.email.2' }, ['Person.email', 'User.email'])).toEqual({
      'Person.email': 'User.email',
      'User.email': 'User.email.2',
    });
  });

  it('drops an encrypted field: refused until the lock says so', () => {
    expect(() => freezeNames('lock.json', { 'User.email': 'User.email' }, [])).toThrow(/Dropped: remove the line/);
  });

  it.each(['{', '[]x', '{"User.email": 7}', '{"a.b": "x", "c.d": "x"}', 'null'])('breaks the lock with %s: refused', (text) => {
    const project = new Project();
    writeFileSync(project.lockFile, text);
    expect(() => readLock(project.lockFile)).toThrow(/restore it from version control/);
  });

  // All faults are found in one run: each line of this schema with a number behind // has the fault of that number.
  const wrong = `
model A {
  id  String @id
  // @encrypted(subject: id) //1
  a1  String
  a2  String /// @encrypted(subject: id) //2
  /// @encrypted //3
  a3  String
  /// @encrypted(purpose: pii) //4
  a4  String
  /// @encrypted(subject: nobody) //5
  a5  String
  /// @encrypted(subject: id, purpose: secret) //6
  a6  String
  /// @encrypted(subject: id, owner: id) //7
  a7  String
  /// @encrypt(subject: id) //8
  a8  String
  /// @encrypted(subject: id) //9
  a9  Int
  /// @encrypted(subject: id) //10
  a10 String[]
  /// @encrypted(subject: id) //11
  a11 String @default("x")
  /// @encrypted(subject: id) //12
  a12 String @unique
  /// @encrypted(subject: id) //13
  a13 String @db.VarChar(20)
  /// @encrypted(subject: b1) //14
  a14 String
  b1  String?
  /// @encrypted(subject: id)
  /// @blindIndex(nowhere) //15
  a15 String
  /// @encrypted(subject: id)
  /// @blindIndex(b2) //16
  a16 String
  b2  Int?
  /// @encrypted(subject: id)
  /// @blindIndex(b3) //17
  a17 String
  b3  String
  /// @blindIndex(b1) //18
  a18 String
  /// @encrypted(subject: id)
  /// @blindIndex(b4) //19
  a19 String
  /// @encrypted(subject: id)
  /// @blindIndex(b4) //20
  a20 String
  b4  String?
  /// @encrypted(subject: id)
  /// @encrypted(subject: id) //21
  a21 String
  /// @encrypted(subject: a21) //22
  a22 String
  /// @blindindex(b4) //23
  a23 String
  /// @encrypted(subject: id) //24

  a24 String
  @@index([a1])
  /// @encrypted(subject: id) //25
}
/// @encrypted(subject: id) //26
model B {
  one String
  two String
  /// @encrypted(subject: one) //27
  b   String
  @@id([one, two])
}
model C {
  id Int @id @default(autoincrement())
  /// @encrypted(subject: "c") //28
  c  String
}
`;
  const fixes: Readonly<Record<number, RegExp>> = {
    1: /two slashes.*write three/,
    2: /behind the field: put it on a line of its own/,
    3: /"@encrypted" is no annotation|names no subject/,
    4: /names no subject: add subject/,
    5: /subject nobody, which is no field of A: name a field/,
    6: /unknown purpose: use one of: pii, jwt/,
    7: /does not know "owner: id": write \(subject/,
    8: /is no annotation: write \/\/\/ @encrypted/,
    9: /not a plain String: make it String/,
    10: /not a plain String/,
    11: /has a default.*set it in the application/,
    12: /unique rule.*@blindIndex/,
    13: /not a plain String.*without @db/,
    14: /subject b1, which cannot tell whose it is: name a required/,
    15: /index field nowhere, which is missing: add: nowhere String\?/,
    16: /b2, which cannot hold an index: declare it as: b2 String\?/,
    17: /b3, which is required: make it String\?/,
    18: /blind index but is not encrypted: add \/\/\/ @encrypted/,
    19: /shares the index field b4/,
    20: /shares the index field b4/,
    21: /has @encrypted twice: keep one/,
    22: /subject a21, which cannot tell/,
    23: /is no annotation/,
    24: /above no field of a model: put it on the line above/,
    25: /above no field/,
    26: /above no field/,
    27: /no row id to be bound to: give the model a single-field String @id/,
    28: /cannot be bound to id: make the @id a String/,
  };

  it('refuses every wrong annotation with file, line, fault and fix, all in one run, and writes nothing', async () => {
    const project = new Project();
    const lines = wrong.split('\n');
    const schema = lines.map((line) => line.replace(/ \/\/\d+$/, '')).join('\n');
    const { ok, output } = await project.generate(schema);
    expect(ok).toBe(false);
    for (const [number, fix] of Object.entries(fixes)) {
      const line = headLines + 1 + lines.findIndex((text) => text.endsWith(` //${number}`));
      const found = output.split('\n').filter((text) => text.includes(`schema.prisma:${line}:`));
      expect(found.join('\n'), `fault ${number}`).toMatch(fix);
    }
    expect(() => project.lock()).toThrow(/ENOENT/);
    expect(() => project.map()).toThrow(/ENOENT/);
  });
});
