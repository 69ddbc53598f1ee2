import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from './client.js';
import type { AppName } from './options.js';
import { freePort } from '../scripts/free-port.ts';

const programs: Readonly<Record<AppName, string>> = {
  bare: 'apps/bare.js',
  ours: '../src/main.js',
  textbook: 'apps/textbook.js',
};

export interface Start {
  readonly name: AppName;
  readonly environment: Readonly<Record<string, string>>;
  /** Where it runs: no `.env` of the project may change what is measured. */
  readonly directory: string;
  readonly ca: string;
  readonly profile: string | undefined;
}

export interface RunningProcess {
  readonly pid: number;
  readonly port: number;
  readonly client: Client;
  stop(): Promise<void>;
}

/**
 * Starts one app on free ports. Its log goes to /dev/null. @throws Error with its last words when it does not answer.
 */
export async function startProcess({ name, environment, directory, ca, profile }: Start): Promise<RunningProcess> {
  const port = await freePort();
  const ports = {
    HTTPS_PORT: String(port),
    HTTP_PORT: String(await freePort()),
    INTERNAL_PORT: String(await freePort()),
  };
  const profiling =
    profile === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`, `--cpu-prof-name=${name}.cpuprofile`];
  const file = 'BENCH_WITHOUT' in environment ? 'apps/without.js' : programs[name];
  const program = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, [...profiling, program], {
    cwd: directory,
    env: { PATH: process.env['PATH'], PUBLIC_URL: `https://localhost:${port}`, ...environment, ...ports },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (words = `${words}${chunk}`.slice(-4000)));
  const client = new Client(port, ca);
  const stop = async () => {
    client.close();
    await stopProcess(child);
  };
  try {
    await untilReady(child, client);
  } catch (error) {
    await stop();
    throw new Error(`${name} did not start: ${words}`, { cause: error });
  }
  return { pid: child.pid ?? 0, port, client, stop };
}

async function untilReady(child: ChildProcess, client: Client): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      await client.send('GET', '/v1/users/me');
      return;
    } catch (error) {
      if (hasEnded(child) || Date.now() > deadline) throw error;
      await pause(50);
    }
  }
}

/** Asks the process to end, and ends it after 10 seconds; it and no other. */
async function stopProcess(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(timer);
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;
