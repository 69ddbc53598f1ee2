import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { signIn, signUp } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { freePort } from '../../../scripts/free-port.js';

/** @returns what it printed. @throws Error that says what is missing, or what it found wrong. */
function promtool(...parts: string[]): string {
  try {
    return execFileSync('promtool', parts, { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as NodeJS.ErrnoException & { stdout?: string; stderr?: string };
    if (code === 'ENOENT')
      throw new Error('promtool is not here: apt-get install -y --no-install-recommends prometheus', { cause: error });
    throw new Error(`${stdout}${stderr}`, { cause: error });
  }
}

describe('the rules for Prometheus [practice 10.3]', () => {
  it('are sound: promtool check rules, check config', () => {
    expect(promtool('check', 'rules', 'deploy/prometheus/rules.yml')).toMatch(/SUCCESS: \d+ rules found/);
    expect(promtool('check', 'config', 'deploy/prometheus/prometheus.yml')).toContain('SUCCESS');
  });

  it('fire at attacks and at bounds that come near, and not on ordinary days: promtool test rules', () => {
    expect(promtool('test', 'rules', 'deploy/prometheus/rules.test.yml')).toContain('SUCCESS');
  });
});

describe('a real Prometheus that asks the running service', () => {
  let app: TestApp;
  let directory: string;
  let prometheus: ChildProcess;
  let origin: string;
  let said = '';

  beforeAll(async () => {
    promtool('--version');
    app = await startApp({ instances: 1 });
    directory = mkdtempSync(join(tmpdir(), 'prometheus-'));
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: [resolve('deploy/prometheus/rules.yml')],
      scrape_configs: [
        { job_name: 'api', static_configs: [{ targets: [`127.0.0.1:${app.on(0).addresses.internal}`] }] },
      ],
    };
    // JSON is YAML too.
    writeFileSync(join(directory, 'prometheus.yml'), JSON.stringify(config));
    const port = await freePort();
    origin = `http://127.0.0.1:${port}`;
    prometheus = spawn('prometheus', [
      `--config.file=${join(directory, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    prometheus.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  });
  afterAll(async () => {
    prometheus?.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
    await app.close();
  });

  const ask = async (path: string) => {
    const answer = await fetch(`${origin}/api/v1/${path}`);
    return (await answer.json()) as {
      data: { alerts?: { state: string; labels: { alertname: string } }[]; result?: unknown[] };
    };
  };
  const firing = async () =>
    ((await ask('alerts')).data.alerts ?? [])
      .filter(({ state }) => state === 'firing')
      .map(({ labels }) => labels.alertname);

  it('reads every metric, and no alert fires for an honest person', async () => {
    await signUp(app, 'alice');
    await vi.waitFor(async () => {
      expect(((await ask('query?query=up==1')).data.result ?? []).length, said.slice(-500)).toBe(1);
      expect((await ask('query?query=http_requests_total{route="/v1/auth/login"}')).data.result).not.toEqual([]);
    }, 30_000);
    expect(await firing()).toEqual([]);
  });

  it('uses a refresh token twice: TokenReuse fires [A2-4]', async () => {
    const mallory = await signUp(app, 'mallory');
    const { refreshToken } = await signIn(app, mallory);
    const refresh = () => app.request('POST', '/v1/auth/refresh', { body: { refreshToken } });
    expect((await refresh()).status).toBe(200);
    app.clock.advance(11);
    expect((await refresh()).status).toBe(401);
    await vi.waitFor(async () => expect(await firing()).toContain('TokenReuse'), { timeout: 30_000, interval: 500 });
  });
});
