import { randomUUIDv7 } from 'node:crypto';
import { mkdtempSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { InternalPages } from '../../src/common/http/internal-pages.js';
import { readConfig } from '../../src/config/index.js';
import { MailboxPage } from '../../src/mail/mailbox.page.js';
import { writeMessage } from '../../src/mail/message.js';
import { Outbox } from '../../src/mail/outbox.js';
import { production } from '../config/production.js';

const start = (env: Record<string, string>) => {
  const config = readConfig(env);
  const outbox = new Outbox(config);
  const internal = new InternalPages();
  new MailboxPage(outbox, internal, config).onModuleInit();
  return { outbox, pages: internal };
};

describe('the mailbox of development', () => {
  let directory: string;
  let outbox: Outbox;
  let pages: InternalPages;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'mailbox-'));
    ({ outbox, pages } = start({ DATA_DIRECTORY: directory }));
  });

  const put = async (subject: string, text: string) => {
    const [id, recipient] = [randomUUIDv7(), 'a@example.org'];
    const envelope = { from: 'b@example.org', date: new Date(), messageId: `${id}@example.org` };
    await outbox.deliver({
      id,
      recipient,
      content: await writeMessage({ to: recipient, subject, body: [text] }, envelope),
    });
    return id;
  };
  const get = async (path: string) => pages.find(path)?.(path);
  const files = () => readdirSync(join(directory, 'outbox')).toSorted();

  it('keeps messages where only the owner reads them, under names that nobody guesses [practice 7.1]', async () => {
    await put('One', 'x');
    await put('Two', 'x');
    expect(statSync(join(directory, 'outbox')).mode & 0o777).toBe(0o700);
    for (const name of files()) {
      expect(name).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.eml$/);
      expect(statSync(join(directory, 'outbox', name)).mode & 0o777).toBe(0o600);
    }
  });

  it('lists the newest first and shows one', async () => {
    await put('Older', 'first');
    const newest = await put('Newer', 'second');
    const list = (await get('/mailbox'))?.body as string;
    expect(list.indexOf('Newer')).toBeLessThan(list.indexOf('Older'));
    expect((await get(`/mailbox/${newest}`))?.body).toContain('second');
  });

  it('sends a script in a mail: it is shown, not run [practice 3.3]', async () => {
    const id = await put('<script>alert(1)</script>', '<img src=x onerror="alert(1)">');
    const bodies = [await get('/mailbox'), await get(`/mailbox/${id}`)].map((page) => page?.body ?? '');
    for (const body of bodies) expect(body).not.toMatch(/<script|<img/);
    expect(bodies[1]).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;&gt;');
  });

  it.each(['../keys.json', '..%2Fkeys.json', '../keys', '%2e%2e/keys.json', '.', 'x/../../keys.json'])(
    'asks for the message %s: 404, a path leads nowhere [ASVS 5.3.2]',
    async (id) => {
      for (const name of ['keys.json', 'keys.eml', 'keys.json.eml']) writeFileSync(join(directory, name), 'secret');
      expect(await get(`/mailbox/${id}`)).toMatchObject({ status: 404 });
    },
  );

  it('does not exist in production, where tokens stand in the messages [ASVS 13.4.2]', () => {
    expect(start({ ...production, DATA_DIRECTORY: directory }).pages.paths()).toEqual([]);
  });

  it('cannot be written: the mail is not lost, and the error names no file', async () => {
    writeFileSync(join(directory, 'outbox'), 'a file where the directory should be');
    await expect(put('One', 'x')).rejects.toThrow('the mail server did not take a mail: EEXIST');
  });

  it('a copy that a killed instance left half-written is written again', async () => {
    const id = await put('One', 'x');
    writeFileSync(join(directory, 'outbox', `${id}.part`), 'half');
    await outbox.deliver({ id, recipient: 'a@example.org', content: 'whole' });
    expect(await outbox.read(id)).toBe('whole');
  });
});
