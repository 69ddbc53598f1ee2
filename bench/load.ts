import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';
import type { Scenario } from './scenarios.js';

export interface Measurement {
  readonly requestsPerSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  /** Milliseconds. */
  readonly p99: number;
  /**
   * CPU time of the app's process per request, in microseconds; undefined where the system does not tell (not Linux).
   */
  readonly cpuPerRequest: number | undefined;
}

export interface Target {
  readonly port: number;
  readonly pid: number;
  readonly token: string;
}

export interface Load {
  readonly seconds: number;
  readonly connections: number;
}

/** Puts one app under load. @throws Error when a single answer is not the expected one: errors are answered fast. */
export async function measure(target: Target, scenario: Scenario, load: Load): Promise<Measurement> {
  const cpuBefore = cpuMicroseconds(target.pid);
  const startedAt = performance.now();
  const { times, faults } = await fire(target, scenario, load);
  const elapsed = (performance.now() - startedAt) / 1000;
  const cpu = difference(cpuBefore, cpuMicroseconds(target.pid));
  if (times.length === 0) faults.push('no answer');
  if (faults.length > 0) throw new Error(`${scenario.title} under load: ${faults.join(', ')}`);
  times.sort((one, other) => one - other);
  return {
    requestsPerSecond: times.length / elapsed,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    cpuPerRequest: cpu && cpu / times.length,
  };
}

/** @returns the milliseconds of every answer, and what went wrong. */
async function fire(
  { port, token }: Target,
  { method, path, body, status: expected }: Scenario,
  { seconds, connections }: Load,
) {
  const headers = {
    host: `localhost:${port}`,
    authorization: `Bearer ${token}`,
    ...(body !== undefined && { 'content-type': 'application/json' }),
  };
  const url = `https://127.0.0.1:${port}${path}`;
  const times: number[] = [];
  const wrong = new Map<number, number>();
  const { errors, timeouts } = await new Promise<autocannon.Result>((resolve, reject) => {
    const run = autocannon(
      {
        url,
        servername: 'localhost',
        method,
        headers,
        body: body && JSON.stringify(body),
        connections,
        duration: seconds,
      },
      (error: unknown, result) => (error ? reject(error) : resolve(result)),
    );
    // The library's own histogram counts whole milliseconds, which is too coarse here.
    run.on('response', (_client, status, _bytes, milliseconds) => {
      times.push(milliseconds);
      if (status !== expected) wrong.set(status, (wrong.get(status) ?? 0) + 1);
    });
  });
  const faults = [...wrong].map(([status, count]) => `${count} x ${status}`);
  if (errors + timeouts > 0) faults.push(`${errors} connection errors, ${timeouts} timeouts`);
  return { times, faults };
}

const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;

const difference = (before: number | undefined, after: number | undefined): number | undefined =>
  before === undefined || after === undefined ? undefined : after - before;

/** User and system time of a process so far: unlike the clock, it does not run while neighbours use the cores. */
function cpuMicroseconds(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  // Fields 14 and 15 of proc_pid_stat(5), in hundredths of a second; the name before them may hold spaces.
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}
