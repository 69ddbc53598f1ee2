// One run of vitest in a copy, and what it says.
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Mutation } from './registry.ts';
import type { WorkingCopy } from './working-copy.ts';

/** green: every test passed. red: a test failed. broken: no test failed, yet a file or the run did. */
export interface Outcome {
  readonly colour: 'green' | 'red' | 'broken';
  /** The test that failed, or what broke. */
  readonly because: string;
}

interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly message: string;
    readonly name: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

const maxRunMs = 300_000;
const running = new Set<ChildProcess>();

/** Ends what was started: each run leads a group of processes of its own. */
export function stopAll(): void {
  for (const child of running) stop(child);
}

/** The tests of a mutation, as the copy is at the moment. */
export async function runTests(copy: WorkingCopy, { tests, test, profile }: Mutation): Promise<Outcome> {
  const report = join(copy.directory, '.report.json');
  rmSync(report, { force: true });
  const options = ['--maxWorkers=1', '--bail=1', '--retry=0', '--reporter=json', `--outputFile=${report}`];
  if (test !== undefined) options.push('-t', test);
  const said = await vitest(copy, [...tests, ...options], profile);
  try {
    return judge(JSON.parse(readFileSync(report, 'utf8')) as Report);
  } catch {
    return { colour: 'broken', because: `vitest gave no report: ${said.trim().slice(-400)}` };
  }
}

function judge({ numPassedTests, testResults }: Report): Outcome {
  const failed = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === 'failed');
  if (failed !== undefined) {
    const timedOut = failed.failureMessages.some((message) => /timed out in \d+ms/.test(message));
    return { colour: 'red', because: `"${failed.fullName}"${timedOut ? ' (by its time-out)' : ''}` };
  }
  const broken = testResults.find(({ status }) => status === 'failed');
  if (broken !== undefined) return { colour: 'broken', because: broken.message.slice(0, 400) };
  return numPassedTests > 0
    ? { colour: 'green', because: `${numPassedTests} passed` }
    : { colour: 'broken', because: 'no test ran' };
}

function vitest(copy: WorkingCopy, args: readonly string[], profile: Mutation['profile']): Promise<string> {
  const { DATABASE_URL, REDIS_URL, TEST_RUN: _run, ...others } = process.env;
  const servers =
    profile === 'services' ? { TEST_PROFILE: 'services', DATABASE_URL, REDIS_URL } : { TEST_PROFILE: 'embedded' };
  const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...args], {
    cwd: copy.directory,
    env: { ...others, ...servers, NO_COLOR: '1' },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const tooLong = setTimeout(() => stop(child), maxRunMs);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-4000)));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(tooLong);
      stop(child);
      running.delete(child);
      resolve(said);
    });
  });
}

/** The run and whatever its tests left behind. */
function stop({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
