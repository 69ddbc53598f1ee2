// Prints the test files with a failed test, or with `--names` every failed test with its message, from vitest's JSON report.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const names = process.argv.includes('--names');
const report = JSON.parse(readFileSync(process.argv.at(-1) ?? '', 'utf8'));
for (const file of report.testResults.filter(({ status }) => status === 'failed')) {
  const path = relative(process.cwd(), file.name);
  if (!names) say(path);
  const failed = file.assertionResults.filter(({ status }) => status === 'failed');
  if (!names) continue;
  if (failed.length === 0) say(`failed at first: ${path}: ${file.message}`);
  for (const { fullName, failureMessages } of failed) {
    say(`failed at first: ${path}: ${fullName}\n  ${failureMessages.join('\n').slice(0, 1500)}`);
  }
}
