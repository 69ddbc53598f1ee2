import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { TestApp } from '../support/app.js';
import { freshDatabase } from '../support/databases.js';
import { send } from '../support/http.js';
import { Authority, serverNames } from '../support/tls-servers.js';
import { MailServer } from './mail-server.js';
import { freePort } from '../../scripts/free-port.js';

const soon = { timeout: 15_000, interval: 20 };

describe('an instance is killed between claim and send (kill -9)', () => {
  it('the mail is not lost: another instance sends it when the lease is over', async () => {
    const authority = await Authority.create();
    const server = await MailServer.start({ certificate: await authority.issue('mail', serverNames), secure: true });
    server.verdict = () => new Promise(() => undefined);
    const database = await freshDatabase();
    const ports = {
      HTTPS_PORT: String(await freePort()),
      HTTP_PORT: String(await freePort()),
      INTERNAL_PORT: String(await freePort()),
    };
    const env = { SMTP_URL: server.url(), SMTP_CA_FILE: authority.caFile, DATA_DIRECTORY: database.dataDirectory };
    const child = spawn(process.execPath, ['dist/main.js'], {
      env: { ...ports, ...env, ...(database.url === undefined ? {} : { DATABASE_URL: database.url }) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let output = '';
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await vi.waitFor(() => expect(output).toContain('Mailbox'), { timeout: 60_000 });
    const ca = readFileSync(join(database.dataDirectory, 'tls/ca.crt'), 'utf8');
    const body = { email: 'killed@example.org' };
    expect((await send({ port: Number(ports.HTTPS_PORT), ca }, 'POST', '/v1/auth/register', { body })).status).toBe(
      202,
    );
    await vi.waitFor(() => expect(server.attempts).toBe(1), soon);
    child.kill('SIGKILL');
    await once(child, 'exit');
    server.verdict = () => undefined;
    const app = new TestApp(database, { env });
    await app.start(1);
    expect(await app.sql('SELECT attempts FROM outgoing_mails WHERE due_at > now()')).toEqual([{ attempts: 1 }]);
    app.clock.advance(121);
    await vi.waitFor(
      () => expect(server.delivered.map(({ recipients }) => recipients)).toEqual([['killed@example.org']]),
      soon,
    );
    await app.close();
    await server.stop();
    authority.remove();
  }, 120_000);
});
