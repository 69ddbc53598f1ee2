import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Database } from '../../../src/database/index.js';
import { loadBounds } from '../../../src/security/load-shedding/bounds.js';
import { Load } from '../../../src/security/load-shedding/load.js';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { unlimited } from '../../support/unlimited.js';

let app: TestApp;
let alice: Actor;
let load: Load;

beforeAll(async () => {
  unlimited();
  app = await startApp({ instances: 1 });
  alice = await signUp(app, 'alice');
  load = app.on(0).service.app.get(Load, { strict: false });
});
afterAll(async () => {
  Object.assign(loadBounds, { guests: Infinity, everybody: Infinity });
  await app.close();
});
beforeEach(async () => {
  Object.assign(loadBounds, { guests: 30, everybody: Infinity });
  // What the test before did is over.
  await vi.waitFor(() => expect(load.delayMs).toBeLessThan(30), 20_000);
});

const ask = ({ token }: Partial<Actor> = {}) => app.request('GET', '/v1/users/me', { token });
const asGuest = () => app.request('GET', '/.well-known/jwks.json');
const register = () => app.request('POST', '/v1/auth/register', { body: { email: 'stranger@example.org' } });
const mails = async () => (await app.sql('SELECT FROM outgoing_mails')).length;
const live = async () => {
  const { internal } = app.on(0).addresses;
  return (await fetch(`http://127.0.0.1:${internal}/health/live`)).status;
};

/** Keeps the event loop busy, turn after turn, until the service has noticed. */
async function compute(untilMs: number): Promise<void> {
  while (load.delayMs < untilMs) {
    const end = performance.now() + 100;
    while (performance.now() < end);
    await pause(1);
  }
}

describe('more than the process can do [practice 4.1] [ASVS 15.2.2] [API4]', () => {
  it('the event loop is late: guests are told to come again, nothing is begun; others are served', async () => {
    const before = await mails();
    await compute(60);
    const refused = await register();
    expect([refused.status, refused.body.type]).toEqual([503, '/problems/unavailable']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask(alice)).status).toBe(200);
    expect(await mails()).toBe(before);
  });

  it('it is far too late: nobody is served, and health goes on answering', async () => {
    loadBounds.everybody = 40;
    await compute(80);
    expect([(await ask(alice)).status, (await asGuest()).status, await live()]).toEqual([503, 503, 200]);
  });

  it('one long turn is no load: nobody is refused', async () => {
    Object.assign(loadBounds, { guests: 400, everybody: 1_200 });
    const end = performance.now() + 2_000;
    while (performance.now() < end);
    expect((await asGuest()).status).toBe(200);
    await vi.waitFor(() => expect(load.delayMs).toBeLessThan(30), 20_000);
    // What other timers leave of it in the mean is chance: here it is all that the next look sees.
    const own = load as unknown as { histogram: { mean: number; reset(): void } };
    const { histogram } = own;
    own.histogram = { mean: 2e9, reset: () => void (own.histogram = histogram) };
    await vi.waitFor(() => expect(load.delayMs).toBeGreaterThan(200), { interval: 5 });
    expect((await asGuest()).status).toBe(200);
  });

  it('every connection of the database is taken: guests are refused at once, until it is over', async () => {
    const database = app.on(0).service.app.get(Database, { strict: false });
    let release!: () => void;
    const held = new Promise<void>((resolve) => (release = resolve));
    const holders: Promise<unknown>[] = [];
    while (database.load.waiting === 0 && holders.length < 50) {
      holders.push(database.transaction(() => held).catch(() => undefined));
      await pause(5);
    }
    await vi.waitFor(async () => expect((await asGuest()).status).toBe(503), 3_000);
    release();
    await Promise.all(holders);
    await vi.waitFor(async () => expect((await asGuest()).status).toBe(200), 10_000);
    expect((await ask(alice)).status).toBe(200);
  });
});
