import { spawnSync } from 'node:child_process';

/** What the tests of processes start is built once: two files that built it would take it from each other. */
export function setup(): void {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build.ts'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the build failed: ${stderr}`);
}
