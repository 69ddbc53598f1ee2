import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signUp, type Actor } from '../support/actors.js';
import { startApp, type TestApp } from '../support/app.js';
import { createResource } from '../resources/support.js';
import { invite } from './support.js';

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
  it('twelve people invite one mailbox at once: ten mails, the same 202 for all, and an event', async () => {
    const address = newAddress();
    const senders = await Promise.all(Array.from({ length: 4 }, () => signUp(app, 'many')));
    const ids = await Promise.all(
      [0, 1, 2].flatMap(() => senders.map(async (sender) => (await createResource(app, sender)).id)),
    );
    const answers = await Promise.all(
      ids.map((id, index) => {
        return app.on(index).request('POST', `/v1/resources/${id}/shares`, {
          token: senders[index % 4]?.token,
          body: { email: address, role: 'viewer' },
        });
      }),
    );
    expect(answers.map(({ status }) => status)).toEqual(ids.map(() => 202));
    const withheld = await app.sql(
      `SELECT FROM audit_events WHERE action = 'share_invited' AND details->>'withheld' = 'mailbox-limit'`,
    );
    expect([await mailsTo(address), withheld.length]).toEqual([10, 2]);
    const lists = await Promise.all(
      ids.map((id, index) =>
        app.request('GET', `/v1/resources/${id}/invitations`, { token: senders[index % 4]?.token }),
      ),
    );
    expect(lists.map(({ body }) => body.items.map(({ email }: { email: string }) => email))).toEqual(
      ids.map(() => [address]),
    );
    await app.sql('UPDATE invited_addresses SET day = day - 1 WHERE mails = 10');
    await invite(app, mallory, (await createResource(app, mallory)).id, address);
    expect(await mailsTo(address)).toBe(11);
  });

  it.each(['{{7*7}}', '${7*7}', '<%= 7*7 %>', '<b>buy</b> https://spam.example'])(
    'the title says %s: the mail is the same as for any other [ASVS 1.3.7]',
    async (title) => {
      const [one, other] = [newAddress(), newAddress()];
      await invite(app, mallory, (await createResource(app, mallory)).id, one);
      await invite(app, mallory, (await createResource(app, mallory, { title, body: title })).id, other);
      const bare = ({ text, subject: line }: { text: string; subject: string }) => [
        line,
        text.replace(/[0-9a-f]{96}/, ''),
      ];
      const mail = await app.mailTo(other);
      expect(bare(mail)).toEqual(bare(await app.mailTo(one)));
      for (const written of [title, mallory.name, mallory.email])
        expect(mail.text + mail.subject).not.toContain(written);
    },
  );
});
