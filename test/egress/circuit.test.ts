import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Clock } from '../../src/common/clock.js';
import { readConfig } from '../../src/config/index.js';
import type { EgressClient } from '../../src/egress/index.js';
import { Egress } from '../../src/egress/egress.js';
import { Authority } from '../support/tls-servers.js';
import { TlsServer } from './servers.js';

/** Stands still between two steps: what a slow machine takes for a request must not end a pause. */
class SteppedClock extends Clock {
  private time = Date.UTC(2026, 0, 1);

  override now(): Date {
    return new Date(this.time);
  }

  advance(seconds: number): void {
    this.time += seconds * 1000;
  }
}

const bounds = { milliseconds: 5_000, bytes: 1_000 };

describe('a service that is asked is down, or asks for a pause [A10-8] [ASVS 13.2.6]', () => {
  const clock = new SteppedClock();
  let authority: Authority;
  let server: TlsServer;
  let client: EgressClient;

  beforeAll(async () => {
    authority = await Authority.create();
    server = await TlsServer.start(authority);
  });
  beforeEach(() => {
    server.requests.length = 0;
    const host = `localhost:${server.port}`;
    const config = readConfig({ EGRESS_CA_FILE: authority.caFile, EGRESS_ALLOW_PRIVATE_HOSTS: host });
    client = new Egress(config, undefined, clock).for({ origins: [`https://${host}`], variable: 'SERVICE_URL' });
  });
  afterAll(async () => {
    await server.close();
    authority.remove();
  });

  const ask = (signal?: AbortSignal) =>
    client.get(`https://localhost:${server.port}/`, { ...bounds, ...(signal && { signal }) }).then(
      ({ status }) => String(status),
      (error: Error) => error.constructor.name,
    );
  const askTimes = async (times: number) => {
    const answers: string[] = [];
    for (let asked = 0; asked < times; asked += 1) answers.push(await ask());
    return answers;
  };
  const answering = (status: number, headers: Record<string, string> = {}) => {
    server.answer = (response) => response.writeHead(status, headers).end();
  };

  it('answers 500 five times: it is not asked for a while; then once, and when that works, always', async () => {
    answering(500);
    expect(await askTimes(7)).toEqual([...Array<string>(5).fill('500'), 'EgressUnavailable', 'EgressUnavailable']);
    expect(server.requests).toHaveLength(5);
    answering(200);
    clock.advance(7);
    expect(await ask()).toBe('200');
    const atOnce = await Promise.all(Array.from({ length: 10 }, () => ask()));
    expect(atOnce).toEqual(Array<string>(10).fill('200'));
  });

  it('is asked again and still fails: one request tried it, and the pause is twice as long', async () => {
    answering(500);
    await askTimes(5);
    clock.advance(7);
    expect(await askTimes(2)).toEqual(['500', 'EgressUnavailable']);
    clock.advance(7);
    expect(await ask()).toBe('EgressUnavailable');
    clock.advance(7);
    expect(await ask()).toBe('500');
    expect(server.requests).toHaveLength(7);
  });

  it('is tried again by fifty callers at once: one request leaves', async () => {
    answering(500);
    await askTimes(5);
    clock.advance(7);
    answering(200);
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask()));
    expect(answers.filter((answer) => answer === '200')).toHaveLength(1);
    expect(server.requests).toHaveLength(6);
  });

  it.each([429, 503])('answers %i with Retry-After: 120: for two minutes nothing is sent', async (status) => {
    answering(status, { 'retry-after': '120' });
    expect(await askTimes(2)).toEqual([String(status), 'EgressUnavailable']);
    clock.advance(119);
    expect(await ask()).toBe('EgressUnavailable');
    answering(200);
    clock.advance(3);
    expect(await ask()).toBe('200');
  });

  it('answers Retry-After with a date, and another time with a whole day: five minutes at most', async () => {
    answering(503, { 'retry-after': new Date(clock.now().getTime() + 60_000).toUTCString() });
    expect(await askTimes(2)).toEqual(['503', 'EgressUnavailable']);
    clock.advance(75);
    answering(503, { 'retry-after': '86400' });
    expect(await askTimes(2)).toEqual(['503', 'EgressUnavailable']);
    clock.advance(301);
    answering(200);
    expect(await ask()).toBe('200');
  });

  it('says Retry-After with an answer that is none of these: it works, and is asked again', async () => {
    answering(200, { 'retry-after': '120' });
    expect(await askTimes(2)).toEqual(['200', '200']);
  });

  it('refuses connections: that counts too', async () => {
    server.answer = (response) => response.destroy();
    expect(await askTimes(6)).toEqual([...Array<string>(5).fill('Error'), 'EgressUnavailable']);
  });

  it('callers give up by themselves: that says nothing of the service', async () => {
    answering(200);
    for (let asked = 0; asked < 6; asked += 1) expect(await ask(AbortSignal.abort())).toBe('AbortError');
    expect(await ask()).toBe('200');
  });

  it('the trial is given up by its caller: the next one is the trial', async () => {
    answering(500);
    await askTimes(5);
    clock.advance(7);
    expect(await ask(AbortSignal.abort())).toBe('AbortError');
    answering(200);
    expect(await ask()).toBe('200');
  });
});
