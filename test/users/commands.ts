import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { CommandEnds } from '../cli/ends.js';
import { signIn, signUp } from '../support/actors.js';
import type { TestApp } from '../support/app.js';

const keysOf = (app: TestApp, subject: string) =>
  app.sql<{ state: string }>('SELECT state FROM data_keys WHERE subject = $1', [subject]);

export const commandEnds: CommandEnds = {
  async 'users:grant'(app, end) {
    const ben = await signUp(app, 'ben');
    expect(await end('users:grant', [ben.email, 'admin'])).toMatchObject({ code: 0 });
    expect((await app.request('GET', '/v1/users', { token: (await signIn(app, ben)).token })).status).toBe(200);
    // Alone, an administrator would be the last one, whom nobody may lock.
    expect(await end('users:grant', [(await signUp(app, 'bea')).email, 'admin'])).toMatchObject({ code: 0 });
  },

  async 'users:erase'(app, end) {
    const hal = await signUp(app, 'hal');
    expect(await end('users:erase', [hal.email])).toMatchObject({ code: 0, output: `erased ${hal.userId}\n` });
    expect(await app.sql('SELECT FROM users WHERE id = $1', [hal.userId])).toEqual([]);
    expect(await keysOf(app, hal.userId)).toMatchObject([{ state: 'destroyed' }]);
  },

  async 'db:after-restore'(app, end) {
    const ina = await signUp(app, 'ina');
    // As the restore of a backup leaves it: the person is there, and the file apart from the database knows of the
    // erasure.
    writeFileSync(join(app.dataDirectory, 'tombstones.txt'), `${ina.userId}\n`, { flag: 'a' });
    expect(await end('db:after-restore')).toMatchObject({
      code: 0,
      output: expect.stringContaining('1 erasures repeated'),
    });
    expect(await app.sql('SELECT FROM users WHERE id = $1', [ina.userId])).toEqual([]);
    expect(await keysOf(app, ina.userId)).toMatchObject([{ state: 'destroyed' }]);
  },
};
