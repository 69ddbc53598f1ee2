import { describe, expect, it } from 'vitest';
import type { Mail } from '../../src/mail/index.js';
import { readMessage, writeMessage } from '../../src/mail/message.js';
import { parseMail } from '../support/mail.js';

const envelope = { from: 'no-reply@example.org', date: new Date('2026-11-21T10:00:00Z'), messageId: 'id@example.org' };
const mail: Mail = { to: 'alice@example.org', subject: 'Hello', body: ['One line', { code: 'and\nanother' }] };
const headerNames = (message: string) =>
  parseMail(message)
    .head.split('\r\n')
    .map((line) => line.split(':')[0]?.toLowerCase());
const usual = headerNames(await writeMessage(mail, envelope));

describe('messages (RFC 5322, ASVS V1.3)', () => {
  it('what is written is what a mail client, and the mailbox page, read', async () => {
    const message = await writeMessage(mail, envelope);
    expect(parseMail(message)).toMatchObject({
      to: mail.to,
      from: envelope.from,
      subject: 'Hello',
      text: 'One line\r\n\r\nand\r\nanother\r\n',
    });
    expect(parseMail(message).html).toContain('<p>One line</p>\r\n<pre>and\r\nanother</pre>');
    expect(readMessage(message)).toEqual({ to: mail.to, subject: mail.subject, text: 'One line\n\nand\nanother\n' });
    for (const line of [
      'Date: Sat, 21 Nov 2026 10:00:00 +0000',
      'Message-ID: <id@example.org>',
      'Auto-Submitted: auto-generated',
    ]) {
      expect(message).toContain(`${line}\r\n`);
    }
  });

  it.each([
    'Hi\r\nBcc: victim@example.org',
    'Hi\nBcc: victim@example.org',
    'Hi\rX: y',
    'a\r\n\r\n<script>',
    'a\u2028Bcc: b',
    'Hi%0d%0aBcc: b@c',
  ])('puts %j into the subject: it stays in the subject [practice 3.4] [ASVS 1.3.11]', async (subject) => {
    const message = await writeMessage({ ...mail, subject }, envelope);
    expect(headerNames(message)).toEqual(usual);
    expect(readMessage(message).subject.replace(/\s/g, '')).toBe(subject.replace(/\s/g, ''));
  });

  it('puts an encoded word into the subject: it is shown, and decodes to nothing else [ASVS 1.3.11]', async () => {
    const message = await writeMessage({ ...mail, subject: '=?utf-8?B?QmNjOg==?=' }, envelope);
    expect([readMessage(message).subject, parseMail(message).subject]).toEqual(Array(2).fill('= ?utf-8?B?QmNjOg== ?='));
  });

  it.each([
    'a@example.org\r\nBcc: b@example.org',
    'a@example.org\r\nRCPT TO:<b@example.org>',
    'a@example.org, b@example.org',
    'A <a@example.org>',
    'a@example.org>',
    '"a b"@example.org',
    'a@example.org b',
    'a\u0000@example.org',
    'a',
    '',
  ])('sends to %j: refused, one plain address is wanted [practice 3.4] [ASVS 1.3.11]', async (to) => {
    await expect(writeMessage({ ...mail, to }, envelope)).rejects.toThrow('one plain e-mail address');
    await expect(writeMessage(mail, { ...envelope, from: to })).rejects.toThrow('one plain e-mail address');
  });

  it('ends the body, or its part, and begins headers anew: all of it stays body', async () => {
    const boundary = /boundary="([^"]+)"/.exec(await writeMessage(mail, envelope))?.[1];
    const body = [`.\r\n\r\nBcc: victim@example.org\r\n\r\n--${boundary}--\r\n`];
    const message = await writeMessage({ ...mail, body }, envelope);
    expect(headerNames(message)).toEqual(usual);
    expect(parseMail(message).text).toContain('Bcc: victim@example.org');
    expect(parseMail(message).html).toContain('</html>');
  });

  it('writes markup into a mail: it is shown, not run, and nothing is loaded [practice 3.3] [ASVS 1.2.1]', async () => {
    const evil = '<img src="https://evil.example/x.png" onerror=\'a\'>&amp;';
    const { html } = parseMail(await writeMessage({ ...mail, subject: evil, body: [evil, { code: evil }] }, envelope));
    expect(html).not.toMatch(/<(img|script|link|style|a|iframe)\b/);
    expect(html.match(/&lt;img src=&quot;/g)).toHaveLength(4);
  });

  it('keeps any script and any length, in lines that every server takes', async () => {
    const strange = { ...mail, subject: 'Grüße 🦊 '.repeat(20).trim(), body: ['žluťoučký kůň '.repeat(200).trim()] };
    const message = await writeMessage(strange, envelope);
    expect(Math.max(...message.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(readMessage(message)).toEqual({ to: mail.to, subject: strange.subject, text: `${strange.body[0]}\n` });
    expect(parseMail(message)).toMatchObject({ subject: strange.subject, text: `${strange.body[0]}\r\n` });
  });
});
