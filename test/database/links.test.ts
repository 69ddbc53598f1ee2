import { createServer as createPlainServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/index.js';
import { connectionOptions, withClient } from '../../src/database/connection.js';
import { checkRedis } from '../../src/shared-state/index.js';
import { Authority, serverNames, type CertificateFiles } from '../support/tls-servers.js';

const secret = 'canary-4Uo2qj7rT9wPz';

/** A server that listens on a free port, and what it was told in clear or inside TLS. */
async function listening(server: Server): Promise<{ port: number; close: () => void }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

describe('somebody answers in the place of the server [ASVS 12.3.2] [practice 7.1]', () => {
  let authority: Authority;
  let foreign: CertificateFiles;
  let heard: string;
  const listen = (socket: Socket) =>
    socket.on('error', () => undefined).on('data', (data: Buffer) => (heard += data.toString('latin1')));

  beforeAll(async () => {
    authority = await Authority.create();
    const other = await Authority.create();
    foreign = await other.issue('server', serverNames);
    foreign = { cert: readFileSync(foreign.cert, 'utf8'), key: readFileSync(foreign.key, 'utf8') };
    other.remove();
  });
  afterAll(() => authority.remove());

  const connectToDatabase = async (port: number) => {
    const DATABASE_URL = `postgresql://app:${secret}@localhost:${port}/app?sslmode=verify-full`;
    const config = readConfig({ DATABASE_URL, DATABASE_CA_FILE: authority.caFile });
    await withClient(connectionOptions(config, undefined), async () => undefined);
  };

  it('says that PostgreSQL speaks no TLS (stripping): nothing but the question was sent', async () => {
    heard = '';
    const { port, close } = await listening(
      createPlainServer((socket) => void listen(socket).on('data', () => socket.write('N'))),
    );
    await expect(connectToDatabase(port)).rejects.toThrow(
      'DATABASE_URL: no TLS with that server (the server speaks no TLS)',
    );
    expect(Buffer.from(heard, 'latin1')).toEqual(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]));
    close();
  });

  it('shows a certificate of another CA as PostgreSQL: it hears neither role nor password', async () => {
    heard = '';
    const inside = createTlsServer(foreign, listen).on('tlsClientError', () => undefined);
    const { port, close } = await listening(
      createPlainServer(
        (socket) =>
          void socket.once('data', () => {
            socket.write('S');
            inside.emit('connection', socket);
          }),
      ),
    );
    await expect(connectToDatabase(port)).rejects.toThrow(/DATABASE_URL: no TLS with that server \([A-Z_]+\)/);
    expect(heard).toBe('');
    close();
  });

  it('shows a certificate of another CA as Redis: it hears no password, and the service does not start', async () => {
    heard = '';
    const { port, close } = await listening(createTlsServer(foreign, listen).on('tlsClientError', () => undefined));
    const config = readConfig({ REDIS_URL: `rediss://:${secret}@localhost:${port}`, REDIS_CA_FILE: authority.caFile });
    await expect(checkRedis(config)).rejects.toThrow(/REDIS_URL: no TLS with that server \([A-Z_]+\)/);
    expect(heard).toBe('');
    close();
  });
});
