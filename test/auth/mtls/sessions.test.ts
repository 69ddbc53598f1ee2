import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClientPair } from './client-authority.js';
import { MtlsApp } from './mtls-app.js';

describe('what one connection proved is nothing to the next [practice 2.2] [ASVS 12.3.5]', () => {
  let mtls: MtlsApp;
  let ca: string;

  beforeAll(async () => {
    mtls = await MtlsApp.start();
    ca = readFileSync(join(mtls.app.dataDirectory, 'tls', 'ca.crt'), 'utf8');
  });
  afterAll(() => mtls.close());

  const open = (options: ConnectionOptions): Promise<TLSSocket> =>
    new Promise((resolve, reject) => {
      const port = mtls.app.on(0).addresses.https;
      const socket = connect({ host: '127.0.0.1', servername: 'localhost', ca, port, ...options });
      socket.once('secureConnect', () => resolve(socket)).once('error', reject);
    });

  const pem = ({ cert, key }: ClientPair) => ({ cert, key });

  /** One request over the connection, which closes after it; the status, and the session that the client may resume. */
  async function ask(options: ConnectionOptions): Promise<{ status: number; session?: Buffer; reused: boolean }> {
    const socket = await open(options);
    const reused = socket.isSessionReused();
    let session = socket.getSession();
    socket.on('session', (ticket) => (session = ticket));
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString('latin1')));
    socket.write(`GET ${mtls.path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    await new Promise((resolve) => socket.once('close', resolve));
    return { status: Number(text.slice(9, 12)), reused, ...(session && { session }) };
  }

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'resumes the session of a machine without its key, in %s: nothing is resumed, 401',
    async (version) => {
      const versions = { minVersion: version, maxVersion: version };
      const first = await ask({ ...versions, ...pem(mtls.machine) });
      expect(first.status).toBe(200);
      const { status, reused } = await ask({ ...versions, ...(first.session && { session: first.session }) });
      expect([status, reused]).toEqual([401, false]);
    },
  );

  it('renegotiates to another identity: refused', async () => {
    const socket = await open({ maxVersion: 'TLSv1.2' });
    const outcome = await new Promise((resolve) => {
      socket.once('error', () => resolve('refused'));
      socket.once('close', () => resolve('refused'));
      socket.renegotiate({}, (error) => resolve(error === null ? 'renegotiated' : 'refused'));
    });
    expect(outcome).toBe('refused');
    socket.destroy();
  });

  it('shows a certificate without having its key: the handshake fails', async () => {
    const other = await mtls.authority.issue();
    await expect(open({ cert: mtls.machine.cert, key: other.key })).rejects.toThrow(/key values mismatch/);
  });
});
