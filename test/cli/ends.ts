import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import { vi } from 'vitest';
import { commands } from '../../src/cli/commands.js';
import type { Command } from '../../src/cli/index.js';
import { readConfig, type Config } from '../../src/config/index.js';
import type { TestApp } from '../support/app.js';
import { profile } from '../support/profile.js';

/** Runs the command to its end; its exit code and what it said. */
export type End = (
  name: string,
  args?: readonly string[],
  options?: { readonly command?: Command; readonly as?: Config },
) => Promise<{ readonly code: number; readonly output: string }>;

/** Each command of a feature, tried beside the running service: in `commands.ts` beside the tests of the feature. */
export type CommandEnds = Readonly<Record<string, (app: TestApp, end: End) => Promise<void>>>;

/** Those of all features. */
export const everyEnd: CommandEnds = Object.assign(
  {},
  ...(await Promise.all(
    globSync('test/**/commands.ts').map(
      async (file) => ((await import(resolve(file))) as { commandEnds: CommandEnds }).commandEnds,
    ),
  )),
) as CommandEnds;

/** As an operator beside the service has it. */
export function configOf(app: TestApp): Config {
  const chosen = profile();
  const services =
    chosen.name === 'services'
      ? { DATABASE_URL: app.database.url, REDIS_URL: chosen.redisUrl, PUBLIC_URL: app.publicUrl }
      : {};
  return readConfig({ DATA_DIRECTORY: app.dataDirectory, ...services });
}

export const endBeside =
  (app: () => TestApp): End =>
  async (name, args = [], { command = commands.find((known) => known.name === name), as = configOf(app()) } = {}) => {
    if (command === undefined) throw new Error(`there is no command ${name}`);
    let output = '';
    const write = (text: unknown) => Boolean((output += String(text)));
    const spies = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')].map((spy) =>
      spy.mockImplementation(write),
    );
    try {
      return { code: await command.run(as, args), output };
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
  };
