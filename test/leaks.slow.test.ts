import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mailedToken, signIn, signUpAdministrator } from './support/actors.js';
import { startApp, type TestApp } from './support/app.js';
import { SamplesModule } from './support/sample/samples.module.js';
import { createSample } from './support/sample/samples.js';

// Canaries in every field that holds personal data or a secret; then every place where they must not be is searched.
// One life, and each kind of refusal: what every route answers to every actor is searched in
// test/security/authorization/matrix.test.ts [A3-3].

const canaries = {
  email: 'canary-mail-81723@example.org',
  name: 'Canaryname Zweiundachtzig',
  phone: '+449990081723',
  note: 'canary-note-81723',
  password: 'zebra plinth quorum 55193',
  wrongPassword: 'zebra wrong guess 55193',
};

describe('plaintext of personal data and secrets [practice 7.3] [practice 7.4] [ASVS 14.2.4]', () => {
  it('is searched for in tables, files, log, audit trail and refusals: found nowhere', async () => {
    const app = await startApp({ modules: [SamplesModule] });
    const { token, refusals, secrets } = await live(app);
    const dump = await dumpAllTables(app);
    // With: logging.
    const log = app.logText();
    const directory = app.dataDirectory;
    for (const instance of app.instances) await instance.service.close();
    // The whole data directory but the outbox: mails are addressed to people, and tokens are mailed.
    const files = filesBelow(directory)
      .filter((file) => !file.includes('/outbox/'))
      .map((file) => readFileSync(file));
    const places = {
      dump,
      // With: logging.
      log,
      refusals,
      files: Buffer.concat(files).toString('latin1'),
    };
    for (const [place, text] of Object.entries(places)) {
      expect(text.length).toBeGreaterThan(0);
      for (const [what, secret] of Object.entries({ ...canaries, token, ...secrets })) {
        expect([place, what, text.toLowerCase().includes(secret.toLowerCase())]).toEqual([place, what, false]);
      }
    }
    await app.database.drop();
  });
});

/** One life: sign-up, sign-in, profile, sample, an administrator's look, and every kind of refusal. */
async function live(app: TestApp) {
  const { email, name, phone, note, password, wrongPassword } = canaries;
  await app.request('POST', '/v1/auth/register', { body: { email } });
  const mailed = await mailedToken(app, email);
  await app.request('POST', '/v1/auth/email/verify', { body: { token: mailed, password, name } });
  const { token, refreshToken } = await signIn(app, { email, password });
  const me = await app.request('PATCH', '/v1/users/me', { token, body: { phone } });
  expect(me.body).toMatchObject({ email, name, phone });
  const actor = { name, userId: me.body.id as string, email, password, token, refreshToken };
  await createSample(app, actor);
  // With: resources.
  expect(
    (await app.request('POST', '/v1/resources', { token, body: { title: 'Minutes', body: 'We met.', note } })).status,
  ).toBe(201);
  const admin = await signUpAdministrator(app);
  const refused = [
    await app.request('GET', '/v1/users', { token: admin.token }),
    await app.request('POST', '/v1/auth/login', { body: { email, password: wrongPassword } }),
    await app.request('POST', '/v1/auth/login', { body: { email, password: wrongPassword, extra: phone } }),
    await app.request('POST', '/v1/auth/register', { body: { email, name } }),
    await app.request('POST', '/v1/auth/email/verify', { body: { token: mailed, password, name: `${name}\n${name}` } }),
    await app.request('PATCH', '/v1/users/me', { token, body: { name: [name], phone: `${phone}x` } }),
    await app.request('POST', '/v1/samples', { token, body: { title: note, body: 7, note } }),
    await app.request('GET', `/v1/users/me?email=${email}&phone=${encodeURIComponent(phone)}`, { token }),
    await app.request('GET', `/v1/samples/${email}`, { token }),
    await app.request('POST', '/v1/auth/refresh', { body: { refreshToken: `${refreshToken.slice(0, -4)}AAAA` } }),
    await app.request('POST', '/v1/samples', { token, raw: `{"note":"${note}",` }),
  ];
  expect(refused.map(({ status }) => status)).toEqual([200, 401, 400, 400, 422, 422, 422, 400, 400, 401, 400]);
  return { token, secrets: { mailed, refreshToken }, refusals: refused.map(({ text }) => text).join('\n') };
}

async function dumpAllTables(app: TestApp): Promise<string> {
  const tables = await app.sql<{ name: string }>(`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`);
  const rows: string[] = [];
  for (const { name } of tables) {
    rows.push(...(await app.sql<{ row: string }>(`SELECT t::text AS row FROM "${name}" t`)).map(({ row }) => row));
  }
  return rows.join('\n');
}

function filesBelow(directory: string): string[] {
  const entries = readdirSync(directory, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
