// What .ci/run wants to know of a run of vitest (test/support/closing-line.ts): `timing` prints the timing tests that
// ran, `failed` every failed test with its message, `again` the files of the timing tests that failed, `count` how many.
import { readFileSync } from 'node:fs';
import type { RunReport } from '../test/support/closing-line.ts';

const [what, file = ''] = process.argv.slice(2);
const { timing, failed } = JSON.parse(readFileSync(file, 'utf8')) as RunReport;
const again = failed.filter(({ isTiming }) => isTiming);
const lines: Record<string, readonly string[]> = {
  timing,
  failed: failed.map(({ file: path, name, message }) => `failed: ${path}: ${name}\n  ${message.slice(0, 1500)}`),
  again: [...new Set(again.map(({ file: path }) => path))],
  count: [String(again.length)],
};
for (const line of lines[what ?? ''] ?? []) process.stdout.write(`${line}\n`);
