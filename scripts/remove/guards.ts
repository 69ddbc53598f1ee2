import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { belongings, type Part } from './parts.ts';
import type { Project } from './project.ts';

/** Each file of a part as the template ships it, by git's own digest of its content. */
export const record = 'scripts/remove/shipped.txt';

/** @throws Error when git is not there, or says that there are changes which a removal would mix with its own. */
export function assertClean(): void {
  const { status, stdout } = git('status', '--porcelain');
  if (status !== 0)
    throw new Error('this is no git repository, which would show what a removal did: use --force to go on');
  if (stdout !== '')
    throw new Error(
      `there are changes that are not committed: commit them, or use --force to go on\n${stdout.trimEnd()}`,
    );
}

/** @throws Error that lists the files that go and were edited since they came. */
export function assertUnedited(parts: readonly Part[], gone: ReadonlySet<string>): void {
  const shipped = readRecord();
  const [known, added] = [
    [...gone].filter((path) => shipped.has(path)),
    [...gone].filter((path) => !shipped.has(path)),
  ];
  const now = digestsOf(known);
  const edited = [...known.filter((path) => now.get(path) !== shipped.get(path)), ...editedSinceBorn(parts, added)];
  if (edited.length === 0) return;
  const list = edited.toSorted().map((path) => `  ${path}`);
  throw new Error(`files that would go were edited since they came: use --force to take them\n${list.join('\n')}`);
}

/** Of what was added to the template: whatever was changed after the commit that brought the part. */
function editedSinceBorn(parts: readonly Part[], added: readonly string[]): string[] {
  if (added.length === 0) return [];
  const births = parts.flatMap(
    ({ root }) => git('log', '--diff-filter=A', '--format=%H', '--', root).stdout.trim().split('\n').at(-1) || [],
  );
  const changed = births.map(
    (birth) => new Set(git('diff', '--name-only', birth, 'HEAD', '--', ...added).stdout.split('\n')),
  );
  // Not one of the commits brought it, or it was changed since.
  return added.filter((path) => changed.every((paths) => paths.has(path)));
}

function readRecord(): Map<string, string> {
  const lines = existsSync(record) ? readFileSync(record, 'utf8').split('\n').filter(Boolean) : [];
  return new Map(lines.map((line) => line.split(' ').toReversed() as [path: string, digest: string]));
}

/** Those of the files that are as the template shipped them. */
export function unedited(files: readonly string[]): string[] {
  const shipped = readRecord();
  const known = files.filter((path) => shipped.has(path));
  const now = digestsOf(known);
  return known.filter((path) => now.get(path) === shipped.get(path));
}

/** What a removal did to these is no edit of their owner: the next removal takes them as they are now. */
export function renewRecord(files: readonly string[]): void {
  if (files.length === 0) return;
  const renewed = new Map([...readRecord(), ...digestsOf(files)]);
  const lines = [...renewed].filter(([path]) => existsSync(path)).map(([path, digest]) => `${digest} ${path}\n`);
  writeFileSync(record, lines.join(''));
}

/** The text of the record: what belongs to a part, and every test, for it may go with one. */
export function recordOf(parts: readonly Part[], project: Project): string {
  const tests = project.files(/^test\/.*\.ts$/);
  const files = [...new Set([...tests, ...parts.flatMap((part) => belongings(part, project))])];
  const digests = digestsOf(files);
  return files
    .toSorted()
    .map((path) => `${digests.get(path)} ${path}\n`)
    .join('');
}

function digestsOf(files: readonly string[]): Map<string, string> {
  if (files.length === 0) return new Map();
  const { status, stdout, stderr } = git('hash-object', '--', ...files);
  if (status !== 0) throw new Error(`git hash-object failed: ${stderr}`);
  const digests = stdout.trim().split('\n');
  return new Map(files.map((path, index) => [path, (digests[index] ?? '').slice(0, 16)]));
}

function git(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync('git', args, { encoding: 'utf8', maxBuffer: 16 * 2 ** 20 });
}
