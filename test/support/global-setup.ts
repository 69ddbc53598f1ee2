import { dropTemplate, makeTemplate } from './template.js';

/** Once per run: the runtime is the pinned one, and the database that every test starts from is ready. */
export async function setup(): Promise<void> {
  if (Number(process.versions.node.split('.')[0]) !== 26) {
    throw new Error(
      `the tests need Node 26, this is ${process.version}: run them by \`npm test\`, which uses the pinned runtime`,
    );
  }
  await makeTemplate();
}

export async function teardown(): Promise<void> {
  await dropTemplate();
}
