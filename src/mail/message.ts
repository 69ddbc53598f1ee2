import MailComposer from 'nodemailer/lib/mail-composer';
import { isPlainAddress } from '../common/mail-address.js';
import { htmlOf, textOf, type Mail } from './mail.js';

interface Envelope {
  readonly from: string;
  readonly date: Date;
  /** Unique, without angle brackets. */
  readonly messageId: string;
}

/** The address could name more than one mailbox, or end a header. The message does not repeat it. */
export class UnusableAddressError extends Error {
  constructor() {
    super('the recipient is not one plain e-mail address');
  }
}

/**
 * The mail as an RFC 5322 message, in text and HTML. A line break in an address or a subject would begin a header of
 * the attacker's choice (ASVS v5.0.0-1.3.11): the address is refused, the subject is encoded, and the body cannot reach
 * the headers.
 * @throws UnusableAddressError
 */
export async function writeMessage(mail: Mail, { from, date, messageId }: Envelope): Promise<string> {
  if (!isPlainAddress(mail.to) || !isPlainAddress(from)) throw new UnusableAddressError();
  const composer = new MailComposer({
    // As objects they are not parsed: nothing in them is taken for a list or a display name.
    from: { name: '', address: from },
    to: { name: '', address: mail.to },
    // What looks like an encoded word would be decoded by mail clients into something that nobody wrote (RFC 2047).
    subject: mail.subject.replaceAll('=?', '= ?'),
    date,
    messageId: `<${messageId}>`,
    // RFC 3834: nobody's holiday notice answers.
    headers: { 'Auto-Submitted': 'auto-generated' },
    text: textOf(mail),
    html: htmlOf(mail),
    textEncoding: 'quoted-printable',
    newline: '\r\n',
    // The composer would read files and URLs that somebody talked a caller into.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return (await composer.compile().build()).toString();
}

/** What people see of a message. */
export interface ReadableMessage {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** Reads what `writeMessage` wrote, not any message. */
export function readMessage(message: string): ReadableMessage {
  const end = message.indexOf('\r\n\r\n');
  const headers = message
    .slice(0, end)
    .replace(/\r\n[ \t]/g, ' ')
    .split('\r\n');
  const header = (name: string) => headers.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? '';
  const boundary = /boundary="([^"]+)"/.exec(header('Content-Type'))?.[1] ?? '';
  const part = message.slice(end).split(`\r\n--${boundary}`)[1] ?? '';
  const text = decodeQuoted(part.slice(part.indexOf('\r\n\r\n') + 4).replace(/=\r\n/g, ''));
  return { to: header('To'), subject: decodeWords(header('Subject')), text: text.replaceAll('\r\n', '\n') };
}

const decodeWords = (text: string): string =>
  text
    .replace(/\?= =\?/g, '?==?')
    .replace(/=\?utf-8\?B\?([^?]*)\?=/gi, (_, word: string) => Buffer.from(word, 'base64').toString())
    .replace(/(?:=\?utf-8\?Q\?[^?]*\?=)+/gi, (words) =>
      decodeQuoted(words.replace(/=\?utf-8\?Q\?|\?=(?=$|=\?)/gi, '').replaceAll('_', ' ')),
    );

const decodeQuoted = (text: string): string =>
  text.replace(/(?:=[0-9A-F]{2})+/gi, (bytes) => Buffer.from(bytes.replaceAll('=', ''), 'hex').toString());
