import { Agent, request } from 'node:https';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { Controller, Get } from '@nestjs/common';
import { describe, expect, it, vi } from 'vitest';
import { OpenStreams } from '../../../src/common/http/open-streams.js';
import type { Principal } from '../../../src/common/access/principal.js';
import { Drain } from '../../../src/security/transport/drain.js';
import { startSmallApp, type SmallApp } from '../small-app.js';
import { timing } from '../../support/timing.js';

@Controller('stuck')
class StuckController {
  static calls = 0;

  @Get()
  wait(): Promise<never> {
    StuckController.calls += 1;
    return new Promise(() => undefined);
  }
}

@Controller('events')
class EventsController {
  constructor(private readonly streams: OpenStreams) {}

  @Get()
  events(): Readable {
    const events = new Readable({ read: () => undefined });
    events.push('data: hello\n\n');
    this.streams.addEvents({} as Principal, events);
    return events;
  }
}

interface Outcome {
  readonly status: number;
  readonly connection: string | undefined;
}

function call(app: SmallApp, agent: Agent, path: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      servername: 'localhost',
      port: app.port,
      path,
      agent,
      ca: app.ca,
      headers: { host: 'localhost' },
    };
    request(options, (answer) => {
      answer
        .resume()
        .on('end', () => resolve({ status: answer.statusCode ?? 0, connection: answer.headers.connection }));
    })
      .on('error', reject)
      .end();
  });
}

describe('SIGTERM loses no request (practice 1.2, ASVS 16.5.3)', () => {
  it('the service stops while requests run and others go on coming: every one that got in is answered', async () => {
    const app = await startSmallApp();
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    let arrived = 0;
    app.nest.getHttpServer().on('request', () => (arrived += 1));
    const running = Array.from({ length: 8 }, () => call(app, agent, '/things/slow'));
    await vi.waitFor(() => expect(arrived).toBe(8), { timeout: 10_000, interval: 5 });
    const closed = app.close();
    const later = Array.from({ length: 8 }, () => call(app, agent, '/things'));
    const outcomes = await Promise.all([...running, ...later.map((one) => one.catch(() => undefined))]);
    await closed;
    expect(outcomes.filter((one) => one !== undefined).map(({ status }) => status)).toEqual(Array(16).fill(200));
    expect(outcomes.at(0)?.connection).toBe('close');
    agent.destroy();
  });

  it('an idle keep-alive connection does not hold the service up', timing, async () => {
    const app = await startSmallApp();
    const agent = new Agent({ keepAlive: true });
    await call(app, agent, '/things');
    const started = performance.now();
    await app.close();
    expect(performance.now() - started).toBeLessThan(2000);
    agent.destroy();
  });

  it('an open stream of events ends at once, completely, and holds nothing up [practice 1.2]', timing, async () => {
    const app = await startSmallApp({ controllers: [EventsController] });
    const agent = new Agent({ keepAlive: true });
    const ended = call(app, agent, '/events');
    const streams = app.nest.get(OpenStreams);
    await vi.waitFor(() => expect(streams['streams'].size).toBe(1), { interval: 5 });
    const started = performance.now();
    await app.close();
    // Far below the time after which the rest is cut, 17 seconds.
    expect(performance.now() - started).toBeLessThan(8_000);
    expect((await ended).status).toBe(200);
    // What main.ts leaves with 1 for.
    expect(app.nest.get(Drain).unanswered).toBe(0);
    agent.destroy();
  });

  it('clients that never end their request, or begin no handshake: cut in time for the stop', timing, async () => {
    const app = await startSmallApp({ env: { SHUTDOWN_TIMEOUT_SECONDS: '2' } });
    const silent = connect(app.port, '127.0.0.1').on('error', () => undefined);
    const body = { 'host': 'localhost', 'content-type': 'application/json', 'content-length': 100 };
    const options = {
      host: '127.0.0.1',
      servername: 'localhost',
      port: app.port,
      method: 'POST',
      path: '/things',
      ca: app.ca,
      agent: false,
    };
    const hanging = request({ ...options, headers: body });
    hanging.on('error', () => undefined).write('{');
    await vi.waitFor(() => expect(app.nest.get(Drain)['connections'].size).toBe(2), { interval: 5 });
    const started = performance.now();
    await app.close();
    // Half of the configured time, so that main.ts, which ends the process at all of it, is never the first.
    expect(performance.now() - started).toBeLessThan(1_800);
    expect(app.nest.get(Drain).unanswered).toBe(0);
    silent.destroy();
  });

  it('a complete request whose answer does not come in time is cut, counted and told', async () => {
    const app = await startSmallApp({ env: { SHUTDOWN_TIMEOUT_SECONDS: '1' }, controllers: [StuckController] });
    const agent = new Agent({ keepAlive: true });
    const outcome = call(app, agent, '/stuck').catch(() => 'cut');
    await vi.waitFor(() => expect(StuckController.calls).toBe(1), { interval: 5 });
    await app.close();
    expect(await outcome).toBe('cut');
    expect(app.nest.get(Drain).unanswered).toBe(1);
    agent.destroy();
  });
});
