/** A mail as its reader sees it. */
export interface ReceivedMail {
  readonly to: string;
  readonly from: string;
  readonly subject: string;
  /** The text part; html is the other one. */
  readonly text: string;
  readonly html: string;
  /** Everything before the body. */
  readonly head: string;
}

/**
 * Reads an RFC 5322 message in text and HTML, as a mail client does: unfolds, decodes words and the transfer encodings.
 */
export function parseMail(raw: string): ReceivedMail {
  const { head, body } = split(raw);
  const boundary = /boundary="([^"]+)"/.exec(head)?.[1];
  const parts =
    boundary === undefined
      ? [raw]
      : body
          .split(`--${boundary}`)
          .slice(1, -1)
          .map((part) => part.replace(/^\r\n|\r\n$/g, ''));
  const part = (type: string) => parts.map(split).find((one) => headerOf(one.head, 'content-type').startsWith(type));
  const words = (name: string) => decodeWords(headerOf(head, name));
  return {
    to: words('to'),
    from: words('from'),
    subject: words('subject'),
    text: decoded(part('text/plain')),
    html: decoded(part('text/html')),
    head,
  };
}

interface Part {
  readonly head: string;
  readonly body: string;
}

function split(raw: string): Part {
  const end = raw.indexOf('\r\n\r\n');
  return { head: raw.slice(0, end).replace(/\r\n[ \t]+/g, ' '), body: raw.slice(end + 4) };
}

const headerOf = (head: string, name: string): string =>
  new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1]?.trim() ?? '';

function decoded(part: Part | undefined): string {
  if (part === undefined) return '';
  const encoding = headerOf(part.head, 'content-transfer-encoding').toLowerCase();
  if (encoding === 'base64') return Buffer.from(part.body, 'base64').toString('utf8');
  return encoding === 'quoted-printable' ? quoted(part.body) : part.body;
}

const decodeWords = (value: string): string =>
  value
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?B\?([^?]*)\?=/gi, (_, word: string) => Buffer.from(word, 'base64').toString('utf8'))
    .replace(/=\?utf-8\?Q\?([^?]*)\?=/gi, (_, word: string) => quoted(word.replaceAll('_', ' ')));

const quoted = (value: string): string =>
  Buffer.from(
    value
      .replace(/=\r?\n/g, '')
      .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString('utf8');
