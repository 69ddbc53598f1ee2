import { globSync, readFileSync } from 'node:fs';
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, signUp, signUpAdministrator, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { Authenticator } from '../support/authenticator.js';
import { createResource } from '../support/resources.js';
import { enrolTotp, halfSignIn, nextCode, wrongCode } from '../support/second-factors.js';
import { publicUrl } from './forge.js';

let app: TestApp;
let alice: Actor;
let admin: Actor;
let schemas: Record<string, unknown>;
let operations: { method: string; path: string; answers: Record<string, { content?: Record<string, unknown> }> }[];

beforeAll(async () => {
  app = await startApp();
  [alice, admin] = await Promise.all([signUp(app, 'alice'), signUpAdministrator(app)]);
  const { body } = await app.request('GET', '/openapi.json');
  schemas = body.components.schemas;
  operations = Object.entries(body.paths as Record<string, Record<string, { responses: (typeof operations)[number]['answers'] }>>).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { responses }]) => ({ method: method.toUpperCase(), path, answers: responses })),
  );
});
afterAll(() => app.close());

/** Whether an answer of that form can hold an access token, at whatever depth. */
function holdsAccessToken(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false;
  const { $ref, properties } = schema as { $ref?: string; properties?: object };
  if ($ref !== undefined) return holdsAccessToken(schemas[$ref.split('/').at(-1) ?? '']);
  if (properties !== undefined && 'accessToken' in properties) return true;
  return Object.values(schema).some((part) => holdsAccessToken(part));
}

/** The routes whose answers hold an access token, in the order of their names. */
const issuing = (): string[] => operations.filter(({ answers }) => holdsAccessToken(answers)).map(({ method, path }) => `${method} ${path}`).toSorted();

/** What a table looks like, so that any write shows; the audit trail and queued mail may grow by being looked at. */
async function fingerprint(): Promise<Record<string, unknown>> {
  const tables = await app.sql<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname NOT IN ('audit_events', 'outgoing_mails', 'data_keys')`,
  );
  const content: Record<string, unknown> = {};
  for (const { name } of tables) [content[name]] = await app.sql(`SELECT count(*)::int, sum(hashtext(t::text)::bigint)::text AS sum FROM ${name} t`);
  return content;
}

const gets = () => operations.filter(({ method }) => method === 'GET').map(({ path }) => path);
const filled = (path: string, id: string) => path.replaceAll(/\{\w+\}/g, id);

describe('the ways into an account, and what they must not grow (ASVS V6.3, V6.4, V7.2)', () => {
  it('every route that hands out a session is known here: a further one needs a review', () => {
    expect(issuing()).toEqual([
      'POST /v1/auth/login',
      'POST /v1/auth/passkeys',
      'POST /v1/auth/passkeys/sign-in',
      'POST /v1/auth/recovery-codes/verify',
      'POST /v1/auth/refresh',
      'POST /v1/auth/totp/confirm',
      'POST /v1/auth/totp/verify',
    ]);
  });

  it('knows only the password of somebody with an app: none of these routes gives a whole session, and none is weaker [ASVS 6.3.4] [A2-6]', async () => {
    const person = await signUp(app, 'owner');
    const ended = await signIn(app, person);
    const owner = await enrolTotp(app, person);
    const whole = () => app.sql('SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL AND NOT factor_due', [owner.userId]);
    const before = await whole();
    const token = await halfSignIn(app, owner);
    const key = new Authenticator(publicUrl(app));
    const [challenge, rp] = [randomBytes(32).toString('base64url'), { id: 'localhost' }];
    const attempts: Record<string, object> = {
      '/v1/auth/login': { email: owner.email, password: owner.password },
      '/v1/auth/passkeys': { name: 'Mine', credential: key.create({ challenge, rp, user: { id: randomBytes(16).toString('base64url') } }) },
      '/v1/auth/passkeys/sign-in': { credential: key.get({ challenge, rpId: rp.id }) },
      '/v1/auth/recovery-codes/verify': { code: 'AAAAA-AAAAA-AAAAA-AAAAA-AAAAA' },
      '/v1/auth/refresh': { refreshToken: ended.refreshToken },
      '/v1/auth/totp/confirm': { code: nextCode(app, owner.secret) },
      '/v1/auth/totp/verify': { code: wrongCode(app, owner.secret) },
    };
    expect(Object.keys(attempts)).toEqual(issuing().map((route) => route.replace('POST ', '')));
    for (const [path, body] of Object.entries(attempts)) {
      const isFirstStep = ['/v1/auth/login', '/v1/auth/passkeys/sign-in', '/v1/auth/refresh'].includes(path);
      const { status } = await app.request('POST', path, { body, ...(isFirstStep ? {} : { token }) });
      expect([path, status]).toEqual([path, path === '/v1/auth/login' ? 200 : 401]);
    }
    expect(await whole()).toEqual(before);
  });

  it('looks for password hints and secret questions in the API and in the schema: there are none [ASVS 6.4.2]', async () => {
    const { text } = await app.request('GET', '/openapi.json');
    const columns = await app.sql<{ name: string }>(`SELECT column_name AS name FROM information_schema.columns WHERE table_schema = 'public'`);
    expect([...text.matchAll(/hint|secret.?question|security.?question/gi)]).toEqual([]);
    expect(columns.filter(({ name }) => /hint|question|answer/i.test(name))).toEqual([]);
  });

  it('secrets come from the operating system: nothing in the service asks Math.random [ASVS 6.5.3] [ASVS 7.2.3]', () => {
    const asking = globSync('src/**/*.ts', { exclude: ['src/generated/**'] }).filter((file) => readFileSync(file, 'utf8').includes('Math.random'));
    expect(asking).toEqual([]);
  });

  it('fifty sign-ins: no token and no session id twice, and 256 bits of MAC in each refresh token [ASVS 7.2.3]', async () => {
    const sessions = [];
    for (let count = 0; count < 50; count++) sessions.push(await signIn(app, alice));
    const claims = sessions.map(({ token }) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { sid: string; jti: string });
    for (const values of [sessions.map(({ token }) => token), sessions.map(({ refreshToken }) => refreshToken), claims.map(({ sid }) => sid), claims.map(({ jti }) => jti)]) {
      expect(new Set(values).size).toBe(50);
    }
    const mac = Buffer.from(sessions[0]?.refreshToken.split('.').at(-1) ?? '', 'base64url').subarray(-32);
    expect(mac).toHaveLength(32);
  });

  it('the audience of a token is this deployment, in the token itself [ASVS 9.2.4]', async () => {
    const { token } = await signIn(app, alice);
    const { aud, iss } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { aud: string; iss: string };
    expect([aud, iss]).toEqual([iss, aud]);
    expect(aud).toMatch(/^https:\/\/[^/]+$/);
  });
});

describe('answers that a browser could be tricked with (ASVS V3.5)', () => {
  it('GET and HEAD on every route, as user and as administrator: not one row changes [ASVS 3.5.3]', async () => {
    const { id } = await createResource(app, alice);
    const [user, administrator] = [await signIn(app, alice), await signIn(app, admin)];
    const before = await fingerprint();
    for (const path of gets()) {
      for (const method of ['GET', 'HEAD']) {
        for (const { token } of [user, administrator]) {
          const { status } = await app.request(method, filled(path, id), { token });
          expect([path, status < 500]).toEqual([path, true]);
        }
      }
    }
    expect(await fingerprint()).toEqual(before);
  });

  it('an overriding method in a header or the query is not obeyed [ASVS 3.5.3]', async () => {
    const { id } = await createResource(app, alice);
    const { token } = await signIn(app, alice);
    const headers = { 'x-http-method-override': 'DELETE', 'x-method-override': 'DELETE', 'x-http-method': 'DELETE' };
    expect((await app.request('GET', `/v1/resources/${id}`, { token, headers })).status).toBe(200);
    expect((await app.request('GET', `/v1/resources/${id}?_method=DELETE`, { token })).status).toBe(400);
    expect(await app.sql('SELECT id FROM resources WHERE id = $1', [id])).toHaveLength(1);
  });

  it('callback= and jsonp= on every readable route: refused or ignored, and nothing answers in a script type [ASVS 3.5.6] [ASVS 3.5.7] [ASVS 3.5.8]', async () => {
    const { token } = await signIn(app, admin);
    for (const path of gets().filter((route) => !route.startsWith('/docs'))) {
      const { headers, text } = await app.request('GET', `${filled(path, randomUUID())}?callback=steal&jsonp=steal`, { token });
      expect([path, headers['content-type']]).toEqual([path, expect.stringMatching(/^application\/(problem\+)?json/)]);
      expect([path, headers['cross-origin-resource-policy'], headers['x-content-type-options'], text.includes('steal(')]).toEqual([path, 'same-origin', 'nosniff', false]);
    }
  });
});
