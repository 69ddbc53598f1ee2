import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { signIn, signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { unlimited } from '../support/unlimited.js';
import { median, rankTest } from './statistics.js';
import { timing } from '../support/timing.js';

const accounts = 8;
const maxDifference = 0.1;
/** One honest run in a thousand looks like this. */
const minLikelihood = 0.001;
const newAddress = () => `someone.${randomBytes(6).toString('hex')}@example.org`;

interface Seen {
  /** Status, headers and body, without what differs from request to request. */
  readonly visible: string;
  readonly milliseconds: number;
}

// Answers and times of addresses with and without an account, asked in turn. Ratios are compared, never times [A2-2]
// [ASVS 6.3.8].
describe('nobody learns who has an account', () => {
  let app: TestApp;
  let people: Actor[];
  let agent: Agent;

  beforeAll(async () => {
    unlimited();
    app = await startApp({ instances: 1 });
    people = [];
    for (let count = 0; count < accounts; count++) people.push(await signUp(app, 'known'));
    // One connection: handshakes are the larger part of the noise.
    agent = new Agent({ keepAlive: true, maxSockets: 1, ca: readFileSync(join(app.dataDirectory, 'tls', 'ca.crt')) });
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    agent.destroy();
    await app.close();
  });

  function ask(path: string, body: object, token?: string): Promise<Seen> {
    const { https: port } = app.on(0).addresses;
    const text = JSON.stringify(body);
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const headers = {
      'host': `localhost:${port}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      ...authorization,
    };
    return new Promise((resolve, reject) => {
      const began = performance.now();
      const request = httpsRequest(
        { host: '127.0.0.1', servername: 'localhost', port, agent, method: 'POST', path, headers },
        (response) => {
          let answer = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
          response.on('end', () => {
            const milliseconds = performance.now() - began;
            const { 'date': _, 'x-request-id': __, 'ratelimit': ___, ...stable } = response.headers;
            resolve({
              visible: JSON.stringify([response.statusCode, stable, answer.replace(/"requestId":"[^"]+"/, '')]),
              milliseconds,
            });
          });
        },
      );
      request.on('error', reject).end(text);
    });
  }

  type Send = (index: number) => Promise<Seen>;
  type Times = Readonly<Record<'known' | 'unknown', number[]>>;

  /**
   * Both kinds in turn, each first in half of the pairs: what one request leaves behind to be done slows the other kind
   * as often.
   */
  async function measure(
    pairs: number,
    kinds: Readonly<Record<'known' | 'unknown', Send>>,
    times: Times,
  ): Promise<Set<string>> {
    const visible = new Set<string>();
    for (let index = -accounts; index < pairs; index++) {
      for (const kind of index % 2 === 0 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const)) {
        const seen = await kinds[kind](Math.abs(index) % accounts);
        visible.add(seen.visible);
        // The first ones warm both sides up.
        if (index >= 0) times[kind].push(seen.milliseconds);
      }
    }
    return visible;
  }

  const isTold = ({ known, unknown }: Times): boolean =>
    Math.abs(median(known) / median(unknown) - 1) >= maxDifference || rankTest(known, unknown) <= minLikelihood;

  /**
   * On a machine that is busy with other things the medians of few pairs differ by chance: more pairs are then added,
   * none is dropped.
   */
  async function expectNoDifference(pairs: number, known: Send, unknown: Send): Promise<void> {
    const times: Times = { known: [], unknown: [] };
    for (let series = 0; series === 0 || (series < 3 && isTold(times)); series++) {
      // One answer, and no refusal of the question: that would tell nothing of accounts.
      expect([...(await measure(pairs, { known, unknown }, times))]).toEqual([expect.stringMatching(/^\[(202|401),/)]);
    }
    expect(Math.abs(median(times.known) / median(times.unknown) - 1)).toBeLessThan(maxDifference);
    expect(rankTest(times.known, times.unknown)).toBeGreaterThan(minLikelihood);
  }

  const strangers = Array.from({ length: accounts }, newAddress);
  const emailOf = (index: number) => people[index]?.email ?? '';
  const strangerOf = (index: number) => strangers[index] ?? '';

  it.each([
    ['login', (email: string) => ({ email, password: 'not the password of anybody' })],
    ['register', (email: string) => ({ email })],
    // With: recovery.
    ['password/forgot', (email: string) => ({ email })],
    ['email/resend', (email: string) => ({ email })],
  ] as const)(
    'asks %s for 200 known and 200 unknown addresses: one answer, one distribution of times [A2-2] [ASVS 6.3.8]',
    { ...timing, timeout: 240_000 },
    async (route, body) => {
      const path = `/v1/auth/${route}`;
      await expectNoDifference(
        200,
        (index) => ask(path, body(emailOf(index))),
        (index) => ask(path, body(strangerOf(index))),
      );
    },
  );

  // With: email-change.
  it(
    'asks for 50 taken and 50 free addresses: one distribution of times [A2-2] [ASVS 6.3.8]',
    { ...timing, timeout: 240_000 },
    async () => {
      const { token } = await signIn(app, people[0] as Actor);
      const change = (email: string) => ask('/v1/auth/email/change', { email }, token);
      await expectNoDifference(
        50,
        (index) => change(people[1 + (index % 7)]?.email ?? ''),
        (index) => change(strangerOf(index)),
      );
    },
  );

  it('the statistics see a difference of one tenth, and none where there is none', () => {
    const sample = (shift: number, seed: number) =>
      Array.from({ length: 200 }, (_, index) => (10 + ((index * 7919 + seed) % 200) / 40) * shift);
    expect(rankTest(sample(1, 3), sample(1.1, 5))).toBeLessThan(minLikelihood);
    expect(rankTest(sample(1, 3), sample(1, 5))).toBeGreaterThan(0.5);
    expect(median([3, 1, 2])).toBe(2);
  });
});
