import { spawnSync } from 'node:child_process';
import { dropTemplate, makeTemplate } from './databases.js';

/**
 * Once per run: the runtime is the pinned one, what the tests of processes start is built (two files that built it at once would
 * pull it away from under each other), and the database that every test file starts from is ready.
 */
export async function setup(): Promise<void> {
  if (Number(process.versions.node.split('.')[0]) !== 26) {
    throw new Error(`the tests need Node 26, this is ${process.version}: run them by \`npm test\`, which uses the pinned runtime`);
  }
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build.ts'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the build failed: ${stderr}`);
  await makeTemplate();
}

export async function teardown(): Promise<void> {
  await dropTemplate();
}
