import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { createResource, invite } from '../support/resources.js';

let app: TestApp;
let mallory: Actor;

beforeAll(async () => {
  app = await startApp();
  mallory = await signUp(app, 'mallory');
});
afterAll(() => app.close());

const subject = 'Somebody wants to share';
const newAddress = () => `someone.${randomBytes(6).toString('hex')}@example.org`;

async function mailsTo(address: string): Promise<number> {
  await app.mailQuiet();
  return app.outbox().filter(({ to, subject: title }) => to === address && title.startsWith(subject)).length;
}

describe('invitations: no spam cannon [A6-2] [ASVS 2.3.2] [ASVS 2.4.1]', () => {
  it('one person invites 25 addresses, deleting the resource in between: 20 a day, then 429; nobody else is slowed', async () => {
    const spammer = await signUp(app, 'spammer');
    const statuses: number[] = [];
    for (let count = 0; count < 25; count++) {
      const { id, etag } = await createResource(app, spammer);
      statuses.push((await invite(app, spammer, id, newAddress())).status);
      await app.request('DELETE', `/v1/resources/${id}`, { token: spammer.token, headers: { 'if-match': etag } });
    }
    expect(statuses).toEqual([...Array.from({ length: 20 }, () => 202), ...Array.from({ length: 5 }, () => 429)]);
    expect((await invite(app, mallory, (await createResource(app, mallory)).id, newAddress())).status).toBe(202);
  });

  it('one person invites one address again and again, to new resources and under +names: the fourth is 429, three mails', async () => {
    const [spammer, address] = [await signUp(app, 'spammer'), newAddress()];
    const statuses: number[] = [];
    for (const name of [address, address.replace('@', '+a@'), address.replace('@', '+b@'), address]) {
      statuses.push((await invite(app, spammer, (await createResource(app, spammer)).id, name)).status);
    }
    expect(statuses).toEqual([202, 202, 202, 429]);
    expect(await app.sql('SELECT mails FROM invited_addresses WHERE id = (SELECT address_id FROM invitations WHERE sender_id = $1 LIMIT 1)', [spammer.userId])).toEqual([{ mails: 3 }]);
  });

  it('twelve people invite one mailbox at once on all instances: ten mails; the others get the same 202 and see the same, and an event tells', async () => {
    const address = newAddress();
    const senders = await Promise.all(Array.from({ length: 4 }, () => signUp(app, 'many')));
    const ids = await Promise.all([0, 1, 2].flatMap(() => senders.map(async (sender) => (await createResource(app, sender)).id)));
    const answers = await Promise.all(ids.map((id, index) => {
      return app.on(index).request('POST', `/v1/resources/${id}/shares`, { token: senders[index % 4]?.token, body: { email: address, role: 'viewer' } });
    }));
    expect(answers.map(({ status }) => status)).toEqual(ids.map(() => 202));
    const withheld = await app.sql(`SELECT FROM audit_events WHERE action = 'share_invited' AND details->>'withheld' = 'mailbox-limit'`);
    expect([await mailsTo(address), withheld.length]).toEqual([10, 2]);
    const lists = await Promise.all(ids.map((id, index) => app.request('GET', `/v1/resources/${id}/invitations`, { token: senders[index % 4]?.token })));
    expect(lists.map(({ body }) => body.items.map(({ email }: { email: string }) => email))).toEqual(ids.map(() => [address]));
    await app.sql('UPDATE invited_addresses SET day = day - 1 WHERE mails = 10');
    await invite(app, mallory, (await createResource(app, mallory)).id, address);
    expect(await mailsTo(address)).toBe(11);
  });

  it('one person spells the domain with soft hyphens and circled letters, which mail servers map to one: one mailbox, three mails [A4-5]', async () => {
    const [spammer, address] = [await signUp(app, 'spammer'), newAddress()];
    const statuses: number[] = [];
    for (const domain of ['ex\u00adample.org', '\u24d4xample.org', 'example\u3002org', 'exam\u200bple.org']) {
      statuses.push((await invite(app, spammer, (await createResource(app, spammer)).id, address.replace('example.org', domain))).status);
    }
    expect([statuses, await mailsTo(address)]).toEqual([[202, 202, 202, 429], 3]);
    expect(app.outbox().filter(({ to }) => /[^\x20-\x7e]/.test(to))).toEqual([]);
  });

  it.each(['{{7*7}}', '${7*7}', '<%= 7*7 %>', '<b>buy</b> https://spam.example'])('the title says %s: the mail is the same as for any other [ASVS 1.3.7]', async (title) => {
    const [one, other] = [newAddress(), newAddress()];
    await invite(app, mallory, (await createResource(app, mallory)).id, one);
    await invite(app, mallory, (await createResource(app, mallory, { title, body: title })).id, other);
    const bare = ({ text, subject: line }: { text: string; subject: string }) => [line, text.replace(/[0-9a-f]{96}/, '')];
    const mail = await app.mailTo(other);
    expect(bare(mail)).toEqual(bare(await app.mailTo(one)));
    for (const written of [title, mallory.name, mallory.email]) expect(mail.text + mail.subject).not.toContain(written);
  });
});
