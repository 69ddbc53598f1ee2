import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../scripts/free-port.js';

// What a newcomer pastes into a terminal beside a service that has just been started. An owner who writes another
// README loses nothing but this.
const commands = [...readFileSync('README.md', 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)]
  .map(([, block = '']) => block)
  .filter((block) => /\b(curl|api) .*https:\/\/localhost:8443/.test(block))
  .join('');

const directory = mkdtempSync(join(tmpdir(), 'readme-'));
let service: ChildProcess;
let ports: Record<'8443' | '8080' | '9090', number>;

beforeAll(async () => {
  ports = { '8443': await freePort(), '8080': await freePort(), '9090': await freePort() };
  const env = {
    PATH: process.env['PATH'],
    DATA_DIRECTORY: directory,
    HTTPS_PORT: `${ports[8443]}`,
    HTTP_PORT: `${ports[8080]}`,
    INTERNAL_PORT: `${ports[9090]}`,
  };
  service = spawn(process.execPath, ['dist/main.js'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  await new Promise<void>((resolve, reject) => {
    service.stderr?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('Mailbox')) resolve();
    });
    service.once('exit', () => reject(new Error(output)));
  });
});
afterAll(async () => {
  const ended = new Promise((resolve) => service.once('exit', resolve));
  service.kill();
  await ended;
  rmSync(directory, { recursive: true, force: true });
});

const meta = { because: 'README has no commands beside a running service' };
describe.skipIf(commands === '')('the commands of README, word by word [practice 11.1]', { meta }, () => {
  it('one request is refused; somebody signs up and in, and the same request is answered', () => {
    // Only where the service stands is another place here.
    const here = commands
      .replaceAll(/\b(8443|9090)\b/g, (port) => String(ports[port as '8443']))
      .replaceAll('.data/', `${directory}/`);
    const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', here], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('curl:')]);
    expect(stdout).toContain('"type":"/problems/unauthenticated"');
    expect(stdout).toContain('"email":"alice@example.org"');
  });
});
