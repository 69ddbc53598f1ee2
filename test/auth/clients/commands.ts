import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { machineScopes } from '../../../src/common/access/access.decorators.js';
import type { CommandEnds, End } from '../../cli/ends.js';
import { signUp } from '../../support/actors.js';
import type { TestApp } from '../../support/app.js';
import { newKey } from './registered-client.js';

async function withFile<T>(content: object, work: (file: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'clients-'));
  try {
    writeFileSync(join(directory, 'client.json'), JSON.stringify(content));
    return await work(join(directory, 'client.json'));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const registration = () => ({ name: 'Analyser', scopes: [machineScopes[0]], key: newKey().jwk });

async function created(app: TestApp, end: End): Promise<string> {
  const { email } = await signUp(app, 'owner');
  const { code, output } = await withFile(registration(), (file) => end('clients:create', [email, file]));
  expect([code, output]).toEqual([0, expect.stringMatching(/^created [0-9a-f-]{36}\n$/)]);
  return output.trim().split(' ')[1] ?? '';
}

const row = async (app: TestApp, id: string) =>
  (await app.sql('SELECT status, version, keys FROM clients WHERE id = $1', [id]))[0];

export const commandEnds: CommandEnds = {
  async 'clients:create'(app, end) {
    const id = await created(app, end);
    expect(await row(app, id)).toMatchObject({ status: 'active', version: 1 });
    const nobody = await withFile(registration(), (file) => end('clients:create', ['nobody@example.org', file]));
    expect(nobody).toMatchObject({ code: 1 });
    const wrong = withFile({ ...registration(), scopes: ['everything'] }, (file) =>
      end('clients:create', ['nobody@example.org', file]),
    );
    await expect(wrong).rejects.toThrow('scopes is not as POST /v1/clients takes it');
  },

  async 'clients:list'(app, end) {
    const id = await created(app, end);
    const { code, output } = await end('clients:list');
    expect([code, output]).toEqual([0, expect.stringContaining(`${id}  active  `)]);
  },

  async 'clients:keys'(app, end) {
    const id = await created(app, end);
    const before = await row(app, id);
    await withFile({ key: newKey().jwk }, (file) => end('clients:keys', [id, file]));
    const after = await row(app, id);
    expect(after).toMatchObject({ version: 2 });
    expect(after?.['keys']).not.toBe(before?.['keys']);
  },

  async 'clients:disable'(app, end) {
    const id = await created(app, end);
    expect(await end('clients:disable', [id])).toMatchObject({ code: 0, output: `disabled ${id}\n` });
    expect(await row(app, id)).toMatchObject({ status: 'disabled' });
  },

  async 'clients:enable'(app, end) {
    const id = await created(app, end);
    await end('clients:disable', [id]);
    expect(await end('clients:enable', [id])).toMatchObject({ code: 0 });
    expect(await row(app, id)).toMatchObject({ status: 'active', version: 3 });
  },

  async 'clients:delete'(app, end) {
    const id = await created(app, end);
    expect(await end('clients:delete', [id])).toMatchObject({ code: 0 });
    expect(await row(app, id)).toBeUndefined();
    expect(await end('clients:delete', [id])).toMatchObject({ code: 1 });
  },
};
