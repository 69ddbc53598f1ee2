import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';

describe('What the database refuses has its status (practices 6.2, 6.4; ASVS 16.5.3)', () => {
  let app: TestApp;
  let owner: Actor;
  beforeAll(async () => {
    app = await startApp({ instances: 1 });
    owner = await signUp(app, 'owner');
  });
  afterAll(() => app.close());

  const update = (phone = '+4930123456') =>
    app.request('PATCH', '/v1/users/me', { token: owner.token, body: { phone } });

  it('somebody holds the row: 503 with Retry-After after the lock timeout, and the next one gets through', async () => {
    const holder = new pg.Client({ connectionString: app.database.url });
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM users WHERE id = $1 FOR UPDATE', [owner.userId]);
    const answer = await update('+4930999999');
    await holder.query('ROLLBACK');
    await holder.end();
    expect(answer).toMatchObject({
      status: 503,
      headers: { 'retry-after': '5' },
      body: { type: '/problems/unavailable' },
    });
    const read = await app.request('GET', '/v1/users/me', { token: owner.token });
    expect(read.body.phone).not.toBe('+4930999999');
    expect((await update()).status).toBe(200);
  });
});
