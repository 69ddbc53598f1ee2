import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { inventory } from '../../src/inventory/index.js';
import { toMarkdown, toTable } from '../../src/inventory/print.js';
import { differences, readTable } from '../support/tables.js';

const rows = inventory();

describe('npm run inventory', () => {
  const directory = mkdtempSync(join(tmpdir(), 'inventory-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  /** Nothing of the configuration, no directory with keys, no database. */
  const run = (args: string[], imported?: string) => {
    const preload = imported === undefined ? [] : ['--import', pathToFileURL(imported).href];
    return spawnSync(process.execPath, [...preload, resolve('dist/inventory/main.js'), ...args], {
      cwd: directory,
      env: {},
      encoding: 'utf8',
    });
  };

  it('prints the same as a table, as JSON and as Markdown, and needs nothing for it', () => {
    const [table, json, markdown] = [run([]), run(['--json']), run(['--markdown'])];
    expect([table.status, json.status, markdown.status]).toEqual([0, 0, 0]);
    expect(JSON.parse(json.stdout)).toEqual(rows);
    expect(differences(readTable(table.stdout), readTable(toTable(rows)))).toEqual([]);
    expect(differences(readTable(markdown.stdout), readTable(toMarkdown(rows, [])))).toEqual([]);
  });

  it('--help tells the words; other words: exit code 2, and nothing is printed', () => {
    expect(run(['--help'])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('npm run inventory --silent -- [--json | --markdown | --env]'),
    });
    expect(run(['--jsn'])).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('--jsn') });
  });

  it('a handler has lost its declaration: exit code 1, and it is named', () => {
    const file = join(directory, 'careless.mjs');
    const [metadata, controller] = ['node_modules/reflect-metadata/Reflect.js', 'dist/users/users.controller.js'].map(
      (path) => pathToFileURL(resolve(path)).href,
    );
    writeFileSync(
      file,
      `import '${metadata}';\nconst { UsersController } = await ` +
        `import('${controller}');\nReflect.deleteMetadata('access', UsersController.prototype.list);\n`,
    );
    expect(run([], file)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('UsersController.list declares neither'),
    });
  });
});
