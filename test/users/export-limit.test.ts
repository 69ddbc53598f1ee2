import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectLimitAfter } from '../security/rate-limiting/limited.js';
import { signUp } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import type { Answer } from '../support/http.js';

describe('export of personal data [practice 7.3]', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  it('is asked for in a loop with a stolen session: 429, and each export is in the audit trail [A6-5]', async () => {
    const person = await signUp(app, 'loop');
    const answers: Answer[] = [];
    for (let count = 0; count < 6; count++)
      answers.push(await app.request('GET', '/v1/users/me/export', { token: person.token }));
    expectLimitAfter(5, 200, answers);
    const events = await app.sql(`SELECT id FROM audit_events WHERE action = 'sensitive_read' AND actor_id = $1`, [
      person.userId,
    ]);
    expect(events).toHaveLength(5);
  });
});
