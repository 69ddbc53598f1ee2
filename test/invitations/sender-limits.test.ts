import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createResource } from '../resources/support.js';
import { expectLimitAfter } from '../security/rate-limiting/limited.js';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import type { Answer } from '../support/http.js';
import { invite } from './support.js';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const newAddress = () => `someone.${randomBytes(6).toString('hex')}@example.org`;

/** To share a resource that nobody knows of yet. */
const inviteAnew = async (sender: Actor, address: string): Promise<Answer> =>
  invite(app, sender, (await createResource(app, sender)).id, address);

describe('invitations: no spam cannon of one person [A6-2] [ASVS 2.3.2] [ASVS 2.4.1]', () => {
  it('one person invites 25 addresses, deleting the resource in between: 20 a day, then 429', async () => {
    const [spammer, mallory] = [await signUp(app, 'spammer'), await signUp(app, 'mallory')];
    const answers: Answer[] = [];
    for (let count = 0; count < 25; count++) {
      const { id, etag } = await createResource(app, spammer);
      answers.push(await invite(app, spammer, id, newAddress()));
      await app.request('DELETE', `/v1/resources/${id}`, { token: spammer.token, headers: { 'if-match': etag } });
    }
    expectLimitAfter(20, 202, answers);
    expect((await inviteAnew(mallory, newAddress())).status).toBe(202);
  });

  it('one person invites one address again and again: the fourth is 429, three mails', async () => {
    const [spammer, address] = [await signUp(app, 'spammer'), newAddress()];
    const answers: Answer[] = [];
    for (const name of [address, address.replace('@', '+a@'), address.replace('@', '+b@'), address])
      answers.push(await inviteAnew(spammer, name));
    expectLimitAfter(3, 202, answers);
    expect(
      await app.sql(
        'SELECT mails FROM invited_addresses WHERE id = (SELECT address_id FROM invitations WHERE sender_id = ' +
          '$1 LIMIT 1)',
        [spammer.userId],
      ),
    ).toEqual([{ mails: 3 }]);
  });

  it('one person spells a domain in ways that mail servers map to one: three mails [A4-5]', async () => {
    const [spammer, address] = [await signUp(app, 'spammer'), newAddress()];
    const answers: Answer[] = [];
    for (const domain of ['ex\u00adample.org', '\u24d4xample.org', 'example\u3002org', 'exam\u200bple.org'])
      answers.push(await inviteAnew(spammer, address.replace('example.org', domain)));
    expectLimitAfter(3, 202, answers);
    await app.mailQuiet();
    expect(app.outbox().filter(({ to }) => to === address)).toHaveLength(3);
    expect(app.outbox().filter(({ to }) => /[^\x20-\x7e]/.test(to))).toEqual([]);
  });
});
