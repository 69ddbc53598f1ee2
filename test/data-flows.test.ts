import { randomBytes } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { signIn, type Actor } from './support/actors.js';
import { startApp, type TestApp } from './support/app.js';
import { contacts, forgetContacts, tap } from './support/contacts.js';
import { openDataFlows, type DataFlow, type Planted } from './support/data-flows.js';
import { profile } from './support/profile.js';
import { SamplesModule } from './support/sample/samples.module.js';
import { createSample } from './support/sample/samples.js';
import { Authority } from './support/tls-servers.js';

// One run with every way out switched on. The table of docs/data-flows.md says what may be seen.

/** The variables of each row: the second column. */
const rows = readFileSync('docs/data-flows.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && line.includes('`'))
  .map((line) => [...(line.split('|')[2] ?? '').matchAll(/`([\w<>]+)`/g)].map(([, name = '']) => name));

/** What the sources declare to the way out by HTTP, and the three that have a protocol of their own. */
function declaredInSources(): string[] {
  const sources = globSync('src/**/*.ts').map((path) => readFileSync(path, 'utf8'));
  const purposes = sources
    .filter((text) => text.includes('egress.for('))
    .flatMap((text) => [...text.matchAll(/\bvariable: (?:'(\w+)'|`OIDC_\$\{[^`]*\}_(ISSUER)`)/g)])
    .map(([, name, issuer]) => name ?? `OIDC_<NAME>_${issuer}`)
    .filter((name) => !name.endsWith('_FILE'));
  return ['DATABASE_URL', 'REDIS_URL', 'SMTP_URL', ...purposes];
}

describe('what leaves the service is what the table of data flows says [A9-5] [ASVS 13.1.1] [ASVS 14.2.3]', () => {
  const planted: Planted[] = [];
  const sent = new Map<string, () => string>();
  let authority: Authority;
  let app: TestApp;
  let flows: DataFlow[] = [];
  let reached: string[] = [];
  /** Where the service listens: it is another port after each restart. */
  const own = new Set<number>();

  /** Without the soft line breaks of mails. */
  const sentTo = (variable: string): string => sent.get(variable)?.().replaceAll('=\r\n', '') ?? '';

  /** The token of the newest mail to the address, as it was written to the mail server. */
  const tokenSentTo = (email: string): Promise<string> =>
    vi.waitFor(() => {
      const [, mail = ''] = sentTo('SMTP_URL').split(`To: ${email}`);
      const token = /^[\w-]{40,}\r?$/m.exec(mail)?.[0].trim();
      expect(token).toBeDefined();
      return token as string;
    }, 10_000);

  /** A person signs up, signs in, and leaves all that the service takes. */
  async function live(): Promise<Actor> {
    const [id, digits] = [randomBytes(4).toString('hex'), String(randomBytes(3).readUIntBE(0, 3)).padStart(8, '1')];
    const [email, name, note] = [`canary.${id}@example.org`, `Canary ${id}`, `a note of ${id}`];
    const password = `zebra plinth ${randomBytes(5).toString('hex')} quorum`;
    for (const port of Object.values(app.on(0).addresses)) own.add(port);
    await app.request('POST', '/v1/auth/register', { body: { email } });
    const mailedToken = await tokenSentTo(email);
    const verified = await app.request('POST', '/v1/auth/email/verify', {
      body: { token: mailedToken, password, name },
    });
    expect(verified.status).toBe(201);
    const person = {
      email,
      name,
      password,
      userId: verified.body.id as string,
      ...(await signIn(app, { email, password })),
    };
    const phone = `+49999${digits}`;
    const profiled = await app.request('PATCH', '/v1/users/me', { token: person.token, body: { phone } });
    expect(profiled.status).toBe(200);
    await createSample(app, person, { note });
    const { token, refreshToken } = person;
    planted.push({ email, name, phone, note, password, token, refreshToken, mailedToken });
    return person;
  }

  beforeAll(async () => {
    authority = await Authority.create();
    app = await startApp({ instances: 1, modules: [SamplesModule] });
    flows = await openDataFlows(authority, app);
    for (const { variable, port } of flows) sent.set(variable, tap(port));
    const hosts = flows.flatMap(({ env }) => env['EGRESS_ALLOW_PRIVATE_HOSTS'] ?? []).join(',');
    const merged = Object.assign({}, ...flows.map(({ env }) => env)) as Record<string, string>;
    const env = { ...merged, EGRESS_ALLOW_PRIVATE_HOSTS: hosts, EGRESS_CA_FILE: authority.caFile };
    forgetContacts();
    await app.restart({ env: { ...env, KEY_WRAPPER: 'local' } });
    for (const flow of flows) await flow.use({ app, env, live, person: await live() });
    reached = contacts();
  });
  afterAll(async () => {
    await app.close();
    for (const flow of flows) await flow.close();
    authority.remove();
  });

  it('names what the sources declare, and nothing else', () => {
    const declared = declaredInSources();
    expect(declared.filter((name) => !rows.flat().includes(name))).toEqual([]);
    expect(rows.filter((row) => !row.some((name) => declared.includes(name)))).toEqual([]);
  });

  it('is run as a whole: something was sent for each row', () => {
    const used = flows.map(({ variable }) => variable).filter((variable) => sentTo(variable) !== '');
    if (profile().name === 'embedded') used.push('DATABASE_URL', 'REDIS_URL');
    expect(rows.filter((row) => !row.some((name) => used.includes(name)))).toEqual([]);
    expect(used).toHaveLength(rows.length);
  });

  it('contacts these hosts and no other', () => {
    const chosen = profile();
    const ownServers = chosen.name === 'embedded' ? [] : [chosen.databaseUrl, chosen.redisUrl];
    const ofTheTest = [
      ...own,
      ...ownServers.map((url) => Number(new URL(url).port || (url.startsWith('redis') ? 6379 : 5432))),
    ];
    const ports = reached.filter((host) => !host.includes('/')).map((host) => Number(host.split(':').at(-1)));
    const others = [...new Set(ports)].filter((port) => !ofTheTest.includes(port));
    expect(others.toSorted()).toEqual(flows.map(({ port }) => port).toSorted());
  });

  it('sends addresses, names, phone numbers, notes, passwords and tokens of people to nobody else', () => {
    expect(planted).not.toEqual([]);
    const found = flows.flatMap(({ variable, mayHave = [] }) => {
      const text = sentTo(variable).toLowerCase();
      const forms = (value: string) => [value, encodeURIComponent(value), Buffer.from(value).toString('base64')];
      const secrets = planted.flatMap((person) => Object.entries(person) as [keyof Planted, string][]);
      return secrets
        .filter(([what]) => !mayHave.includes(what))
        .filter(([, value]) => forms(value).some((form) => text.includes(form.toLowerCase())))
        .map(([what]) => `${variable}: ${what}`);
    });
    expect(found).toEqual([]);
  });

  // With: breached-passwords.
  it('asks the list of breached passwords with five digits, whoever signs up', () => {
    const asked = [...sentTo('BREACHED_PASSWORDS_URL').matchAll(/^GET (.*) HTTP\/1\.1\r$/gm)];
    expect(asked.length).toBeGreaterThanOrEqual(planted.length);
    for (const [, path] of asked) expect(path).toMatch(/^\/range\/[0-9A-F]{5}$/);
  });
});
