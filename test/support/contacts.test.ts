import { createSocket } from 'node:dgram';
import { get } from 'node:http';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import pg from 'pg';
import { describe, expect, it, vi } from 'vitest';
import { takeStrays } from './contacts.js';

// Addresses for documentation (RFC 5737) and a name that is never given (RFC 6761): nobody is asked.
const seen = (what: string) => vi.waitFor(() => expect(takeStrays()).toEqual([what]), 10_000);
const ignored = () => undefined;

describe('a test that contacts another machine fails its file [A9-5] [ASVS 14.2.3]', () => {
  it.each<[string, string, () => { destroy(): unknown }]>([
    ['a socket', '192.0.2.1:80', () => connect(80, '192.0.2.1')],
    ['TLS', '192.0.2.2:443', () => connectTls(443, '192.0.2.2')],
    ['HTTP', '192.0.2.3:80', () => get('http://192.0.2.3/').on('error', ignored)],
    ['a name', 'somebody.invalid, by name', () => get('http://somebody.invalid/').on('error', ignored)],
  ])('by %s', async (_, what, begin) => {
    const begun = begin() as ReturnType<typeof connect>;
    begun.on('error', ignored);
    await seen(what);
    begun.destroy();
  });

  it('by fetch', async () => {
    const signal = AbortSignal.timeout(200);
    await expect(fetch('http://192.0.2.4/', { signal })).rejects.toThrow();
    await seen('192.0.2.4:80');
  });

  it('by a client of a database', async () => {
    const client = new pg.Client({ host: '192.0.2.5', port: 5432, connectionTimeoutMillis: 200 });
    await expect(client.connect()).rejects.toThrow();
    await seen('192.0.2.5:5432');
  });

  it('by UDP', async () => {
    createSocket('udp4').close();
    await seen('a socket of UDP');
  });
});
