import { Agent } from 'node:https';
import { Controller, Get, Module } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Public } from '../../../src/common/access/access.decorators.js';
import { defineRateLimits, RateLimit } from '../../../src/common/http/rate-limit.js';
import { ViewField } from '../../../src/common/http/view.js';
import { PasswordHasher } from '../../../src/security/data-protection/index.js';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { limitOf } from '../../support/declared-limits.js';
import { anotherAddress, type Answer } from '../../support/http.js';
import { services } from '../../support/profile.js';
import { Relay } from '../../support/relay.js';
// With: metrics.
import { scrape, valueIn } from '../metrics/scrape.js';

const [allowed, windowSeconds] = [20, 5];

class DoneView {
  @ViewField({ type: 'integer' })
  done: number;
}

let done = 0;

@ApiTags('brief')
@Controller('v1/brief')
class BriefController {
  @Get()
  @Public()
  @RateLimit(defineRateLimits('brief', [{ name: 'brief', requests: allowed, windowSeconds, per: 'network' }]))
  @ApiOkResponse({ type: DoneView })
  once(): DoneView {
    done += 1;
    return { done };
  }
}

@Module({ controllers: [BriefController] })
class BriefModule {}

const statusesOf = (answers: readonly Answer[], status: number) => answers.filter((one) => one.status === status);

describe('two instances count in one Redis [practice 4.1] [ASVS 15.4.2]', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp({ modules: [BriefModule] });
    expect(app.instances.length).toBeGreaterThan(1);
  });
  afterAll(() => app.close());

  it('8 clients at once: not one too many, and who waits as long as told gets in [A4-8] [ASVS 2.4.1]', async () => {
    const from = anotherAddress();
    const ask = (index: number, agent?: Agent) => app.on(index).request('GET', '/v1/brief', { from, agent });
    const agents = Array.from({ length: 8 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    // Each has its connection, and waits for the others.
    await Promise.all(
      agents.map((agent, client) => app.on(client).request('GET', '/.well-known/jwks.json', { from, agent })),
    );
    const sent = agents.flatMap((agent, client) => Array.from({ length: 5 }, () => ask(client, agent)));
    const answers = await Promise.all(sent);
    for (const agent of agents) agent.destroy();
    expect([statusesOf(answers, 200).length, statusesOf(answers, 429).length, done]).toEqual([allowed, 20, allowed]);

    const left = (answer: Answer) => Number(/"brief";r=(\d+)/.exec(answer.headers['ratelimit'] ?? '')?.[1]);
    const told = statusesOf(answers, 200).map(left);
    expect(told.toSorted((one, other) => one - other)).toEqual(Array.from({ length: allowed }, (_, index) => index));
    const refused = await ask(1);
    const seconds = Number(refused.headers['retry-after']);
    expect(seconds).toBeGreaterThan(0);
    expect(refused).toMatchObject({
      status: 429,
      headers: {
        'ratelimit': expect.stringMatching(new RegExp(`"brief";r=0;t=${seconds}$`)),
        'ratelimit-policy': expect.stringContaining(`"brief";q=${allowed};w=${windowSeconds}`),
      },
    });
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    expect(await ask(0)).toMatchObject({ status: 200, body: { done: allowed + 1 } });
    expect(left(await ask(1))).toBe(allowed - 2);
  });
});

describe('Redis is gone, and each of two instances counts for itself [practice 4.5] [ASVS 16.5.2]', () => {
  let app: TestApp;
  let relay: Relay;
  let victim: Actor;

  beforeAll(async () => {
    const through = await Relay.to(services().redisUrl);
    relay = through.relay;
    app = await startApp({ env: { REDIS_URL: through.url } });
    expect(app.instances).toHaveLength(2);
    victim = await signUp(app, 'victim');
  });
  afterEach(() => void vi.restoreAllMocks());
  afterAll(async () => {
    await app.close();
    relay.close();
  });

  it('goes from one to the other: no more guesses are looked at than with Redis [A2-1] [A4-8]', async () => {
    const looked = vi.spyOn(PasswordHasher.prototype, 'verify');
    const from = anotherAddress();
    const { requests } = limitOf('login-account');
    relay.cut();
    const statuses: number[] = [];
    for (let index = 0; index < requests * 2; index++) {
      const body = { email: victim.email, password: `guess ${index}` };
      statuses.push((await app.on(index).request('POST', '/v1/auth/login', { from, body })).status);
    }
    expect(statuses).toEqual(statuses.map((_, index) => (index < requests ? 401 : 429)));
    expect(looked).toHaveBeenCalledTimes(requests);
    // With: logging.
    expect(app.logText()).toContain('each instance limits by itself meanwhile');
    // With: metrics.
    await expect.poll(async () => valueIn(await scrape(app), 'shared_state_up')).toBe(0);
  });

  it('other limits stay as they are, and it is back: guesses have the whole limit again', async () => {
    const { requests } = limitOf('anonymous');
    const from = anotherAddress();
    const answers: Answer[] = [];
    for (let index = 0; index < requests + 2; index++)
      answers.push(await app.request('GET', '/.well-known/jwks.json', { from }));
    expect(statusesOf(answers, 200)).toHaveLength(requests);
    relay.restore();
    const full = `"login-network";q=${limitOf('login-network').requests};`;
    const login = () => app.request('POST', '/v1/auth/login', { body: { email: victim.email, password: 'a guess' } });
    await expect
      .poll(async () => (await login()).headers['ratelimit-policy'], { timeout: 10_000, interval: 200 })
      .toContain(full);
  });
});
