import { globSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node';
import { onServers, onServersOnly, slow } from './kinds.js';

declare module 'vitest' {
  interface TaskMeta {
    /** Why a test or a describe is skipped: `describe.skipIf(…)(name, { meta: { because: '…' } }, …)`. */
    because?: string;
  }
}

/** What .ci/run reads of a run: the file that TEST_REPORT names. */
export interface RunReport {
  /** Of the tests that ran, those whose outcome depends on how busy the machine is. */
  readonly timing: readonly string[];
  readonly failed: readonly { file: string; name: string; isTiming: boolean; message: string }[];
}

const unexplained = 'no reason given';

/** Says under a run what it did not prove, and why. A skipped test without a reason fails the run. */
export class ClosingLine implements Reporter {
  private isNarrowed = false;
  private projects: ReadonlySet<string> = new Set();

  onInit(vitest: Vitest): void {
    const { tagsFilter, testNamePattern } = vitest.config;
    this.isNarrowed = testNamePattern !== undefined || (tagsFilter ?? []).length > 0;
    this.projects = new Set(vitest.projects.map(({ name }) => name));
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const skipped = this.isNarrowed ? [] : tests.filter((test) => test.result().state === 'skipped');
    const reasons = Object.entries(Object.groupBy(skipped, reasonOf)).map(([why, all = []]) => `${all.length}: ${why}`);
    if (skipped.some((test) => reasonOf(test) === unexplained)) process.exitCode = 1;
    const line = [`${skipped.length} skipped${reasons.length > 0 ? ` (${reasons.join('; ')})` : ''}`, ...this.others()];
    process.stdout.write(`  Not proved   ${line.join(', ')}\n\n`);
    const { TEST_REPORT: file } = process.env;
    if (file !== undefined) writeFileSync(file, JSON.stringify(reportOf(modules, tests)));
  }

  /** The files of the other commands. */
  private others(): string[] {
    const kinds = { slow, services: onServersOnly, browser: '**/*.browser.ts', http: '**/*.http-client.ts' };
    const ran = new Set(this.projects.has('services') ? onServers() : []);
    const half = ran.size === 0 ? 0 : onServers({}).length - ran.size;
    const otherHalf = half === 0 ? [] : [`${half} files of the other half on servers`];
    const left = Object.entries(kinds).flatMap(([name, pattern]) => {
      const files = globSync(`{test,packages/*/test}/${pattern}`, { exclude: ['**/node_modules/**'] });
      const { length } = files.filter((file) => !ran.has(file));
      return this.projects.has(name) ? [] : [`${length} files of the ${name} tests`];
    });
    return [...otherHalf, ...left];
  }
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  if (result.state === 'skipped' && result.note !== undefined) return result.note;
  let task: TestCase | TestSuite | TestModule = test;
  for (; task.type !== 'module'; task = task.parent) {
    const { because } = task.meta();
    if (because !== undefined) return because;
  }
  return unexplained;
}

function reportOf(modules: readonly TestModule[], tests: readonly TestCase[]): RunReport {
  const told = (test: TestCase) => ({
    file: relative(process.cwd(), test.module.moduleId),
    name: test.fullName,
    isTiming: test.tags.includes('timing'),
    message: (test.result().errors ?? []).map(({ message }) => message).join('\n'),
  });
  const outside = [...modules, ...modules.flatMap((module) => [...module.children.allSuites()])].flatMap((task) =>
    task.errors().map(({ message }) => ({
      file: relative(process.cwd(), task.type === 'module' ? task.moduleId : task.module.moduleId),
      name: task.type === 'module' ? '(the file)' : task.fullName,
      isTiming: false,
      message,
    })),
  );
  return {
    timing: tests.filter(({ tags }) => tags.includes('timing')).map((test) => test.fullName),
    failed: [...tests.filter((test) => test.result().state === 'failed').map(told), ...outside],
  };
}
