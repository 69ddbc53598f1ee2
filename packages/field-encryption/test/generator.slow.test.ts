import { execFile } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FieldMap } from '../src/field-map.js';
import { freezeNames, readLock } from '../src/generator/frozen-names.js';

const main = resolve('packages/field-encryption/src/generator/main.ts');
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
      execFile(
        process.execPath,
        ['node_modules/prisma/build/index.js', 'generate', '--schema', schema],
        (error, stdout, stderr) => done({ ok: error === null, output: stdout + stderr }),
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
/// @subject(id)
model User {
  id         String  @id @db.Uuid
  /// Shown to administrators.
  /// @encrypted
  /// @blindIndex(emailIndex)
  email      String
  emailIndex String? @unique
  notes      Note[]
}
/// @subject(ownerId)
model Note {
  id      String @id
  ownerId String @db.Uuid
  /// @encrypted( purpose: pii )
  text    String?
  /// @encrypted(purpose: jwt)
  token   String
  owner   User   @relation(fields: [ownerId], references: [id], onDelete: Cascade)
}
/// @subject("all-codes")
model Code {
  id   String @id
  /// @encrypted
  code String
}
`;

// Each run starts Prisma's command line: a second when the machine is idle.
describe('the generator of the field map [practice 7.3]', { timeout: 120_000 }, () => {
  it('writes what the extension needs: ids, frozen names, subjects, purposes, indexes, relations', async () => {
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
    expect(Note?.encrypted['token']).toMatchObject({ subject: { field: 'ownerId' }, purpose: 'jwt' });
    expect(project.map()['Code']?.encrypted['code']).toMatchObject({
      subject: { constant: 'all-codes' },
      purpose: 'pii',
    });
    expect([User?.subject, Note?.subject, User?.table]).toEqual([{ field: 'id' }, { field: 'ownerId' }, 'User']);
    expect(Note?.relations['owner']).toEqual({ model: 'User', list: false, holdsKey: true, links: { id: 'ownerId' } });
    expect(Note).toMatchObject({ uuids: ['ownerId'], fixed: ['id', 'ownerId'] });
    expect(project.lock()).toEqual({
      'Code.code': 'Code.code',
      'Note.text': 'Note.text',
      'Note.token': 'Note.token',
      'User.email': 'User.email',
    });
  });

  it('is in step with the committed lock and schema of this project', () => {
    const lock = JSON.parse(readFileSync('prisma/field-names.lock.json', 'utf8')) as Record<string, string>;
    const annotated = globSync('prisma/schema/*.prisma').flatMap(
      (file) => readFileSync(file, 'utf8').match(/^\s*\/\/\/ @encrypted/gm) ?? [],
    );
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
    writeFileSync(
      project.lockFile,
      JSON.stringify({ ...project.lock(), 'User.email': undefined, 'Person.mail': 'User.email' }),
    );
    expect(await project.generate(renamed)).toMatchObject({ ok: true });
    expect(project.map()['Person']?.encrypted['mail']?.frozenName).toBe('User.email');
  });

  it('gives the old name of a renamed field to a new one: refused', () => {
    const locked = { 'Person.email': 'User.email' };
    expect(() => freezeNames('lock.json', locked, ['Person.email', 'User.email'])).toThrow(
      'lock.json: the name User.email belongs to another field\'s cells: add "User.email": "User.email.2" to this file',
    );
    expect(
      freezeNames('lock.json', { ...locked, 'User.email': 'User.email.2' }, ['Person.email', 'User.email']),
    ).toEqual({
      'Person.email': 'User.email',
      'User.email': 'User.email.2',
    });
  });

  it('drops an encrypted field: refused until the lock says so', () => {
    expect(() => freezeNames('lock.json', { 'User.email': 'User.email' }, [])).toThrow(/Dropped: remove the line/);
  });

  it.each(['{', '[]x', '{"User.email": 7}', '{"a.b": "x", "c.d": "x"}', 'null'])(
    'breaks the lock with %s: refused',
    (text) => {
      const project = new Project();
      writeFileSync(project.lockFile, text);
      expect(() => readLock(project.lockFile)).toThrow(/restore it from version control/);
    },
  );

  // All faults are found in one run: each line of this schema with a number behind // has the fault of that number.
  const wrong = `
/// @subject(id)
model A {
  id  String @id
  // @encrypted //1
  a1  String
  a2  String /// @encrypted //2
  /// @encrypted(subject: id) //3
  a3  String
  /// @encrypted() //4
  a4  String
  /// @subject(id) //5
  a5  String
  /// @encrypted(purpose: secret) //6
  a6  String
  /// @encrypted(owner: id) //7
  a7  String
  /// @encrypt(purpose: pii) //8
  a8  String
  /// @encrypted //9
  a9  Int
  /// @encrypted //10
  a10 String[]
  /// @encrypted //11
  a11 String @default("x")
  /// @encrypted //12
  a12 String @unique
  /// @encrypted //13
  a13 String @db.VarChar(20)
  /// @encrypted(purpose: pii, purpose: pii) //14
  a14 String
  b1  String?
  /// @encrypted
  /// @blindIndex(nowhere) //15
  a15 String
  /// @encrypted
  /// @blindIndex(b2) //16
  a16 String
  b2  Int?
  /// @encrypted
  /// @blindIndex(b3) //17
  a17 String
  b3  String
  /// @blindIndex(b1) //18
  a18 String
  /// @encrypted
  /// @blindIndex(b4) //19
  a19 String
  /// @encrypted
  /// @blindIndex(b4) //20
  a20 String
  b4  String?
  /// @encrypted
  /// @encrypted //21
  a21 String
  /// @subject //22
  a22 String
  /// @blindindex(b4) //23
  a23 String
  /// @encrypted //24

  a24 String
  @@index([a1])
  /// @encrypted //25
}
/// @encrypted //26
/// @subject("b")
model B {
  one String
  two String
  /// @encrypted //27
  b   String
  @@id([one, two])
}
/// @subject("c")
model C {
  id Int @id @default(autoincrement())
  /// @encrypted //28
  c  String
}
model D {
  id String @id
  /// @encrypted //29
  d  String
}
/// @subject(nobody) //30
model E {
  id String @id
  /// @encrypted
  e  String
}
/// @subject(e2) //31
model F {
  id String @id
  /// @encrypted
  e  String
  e2 String?
}
/// @subject(id)
/// @subject(id) //32
model G {
  id String @id
  hs H[]
}
/// @subject(gId) //33
model H {
  id  String @id
  gId String
  /// @encrypted
  h   String
  g   G @relation(fields: [gId], references: [id])
}
/// @subject(contact) //34
model I {
  id      String @id
  contact String
  /// @encrypted
  i       String
}
/// @subject(?) //35
model J {
  id String @id
}
// @subject(id) //36
model K {
  id String @id
}
`;
  const fixes: Readonly<Record<number, RegExp>> = {
    1: /two slashes.*write three/,
    2: /behind the field: put it on a line of its own/,
    3: /names a subject: name it once, above the model/,
    4: /does not know "": write nothing/,
    5: /@subject stands above no model: put it/,
    6: /unknown purpose: use one of: pii, jwt/,
    7: /does not know "owner: id": write nothing/,
    8: /is no annotation: write \/\/\/ @encrypted/,
    9: /not a plain String: make it String/,
    10: /not a plain String/,
    11: /has a default.*set it in the application/,
    12: /unique rule.*@blindIndex/,
    13: /not a plain String.*without @db/,
    14: /does not know "purpose: pii, purpose: pii"/,
    15: /index field nowhere, which is missing: add: nowhere String\?/,
    16: /b2, which cannot hold an index: declare it as: b2 String\?/,
    17: /b3, which is required: make it String\?/,
    18: /blind index but is not encrypted: add \/\/\/ @encrypted/,
    19: /shares the index field b4/,
    20: /shares the index field b4/,
    21: /has @encrypted twice: keep one/,
    22: /@subject stands above no model/,
    23: /is no annotation/,
    24: /above no field of a model: put it on the line above/,
    25: /above no field/,
    26: /above no field/,
    27: /no row id to be bound to: give the model a single-field String @id/,
    28: /cannot be bound to id: make the @id a String/,
    29: /D has encrypted fields, and declares no subject: write \/\/\/ @subject/,
    30: /names the subject nobody, which is no field of it: name a field/,
    31: /subject e2, which cannot tell whose it is: name a required/,
    32: /G has @subject twice: keep one/,
    33: /names the subject gId, whose row may go before this one: .*onDelete: Cascade/,
    34: /names the subject contact, whose row may go before this one/,
    35: /@subject names nobody: write/,
    36: /two slashes/,
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
