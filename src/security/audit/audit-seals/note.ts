import type { Link, Stream } from './chain.js';

/**
 * What is signed about a chain: its state, where it begins since it was cut, what has left as a file. The kind is part
 * of the signed origin: a checkpoint that is put in the place of an anchor would hide that all before it was deleted.
 */
export type NoteKind = 'checkpoint' | 'anchor' | 'export';

export interface Note extends Link {
  readonly kind: NoteKind;
  readonly stream: Stream;
  /** Further lines, `name value`. */
  readonly extra: Readonly<Record<string, string>>;
}

/** A note as it was signed. */
export interface SignedNote extends Note {
  /** What the signature is over. */
  readonly body: string;
  readonly keyName: string;
  /** Four bytes that tell the key, and 64 of the signature. */
  readonly signature: Buffer;
}

const suffixes: Record<NoteKind, string> = { checkpoint: '', anchor: '/anchor', export: '/export' };

/**
 * The text of a C2SP tlog-checkpoint: origin, size, hash, further lines. The hash is that of the last link, not the
 * root of a tree.
 */
export function bodyOf(host: string, { kind, stream, seq, hash, extra }: Note): string {
  const lines = Object.entries(extra).map(([name, value]) => `${name} ${value}`);
  const origin = `${host}/audit/${stream}${suffixes[kind]}`;
  return [origin, seq, hash.toString('base64'), ...lines, ''].join('\n');
}

/** A C2SP signed-note: the body, an empty line, and a line for the signature. */
export const noteText = (body: string, keyName: string, signature: Buffer): string =>
  `${body}\n\u2014 ${keyName} ${signature.toString('base64')}\n`;

const noteForm = /^(?<body>[^]+\n)\n\u2014 (?<keyName>\S+) (?<signature>[\w+/]{91}=)\n$/;
const origin = /^.+\/audit\/(?<stream>changes|refusals)(?<suffix>|\/anchor|\/export)$/;
const bodyForm = /^(?<origin>.+)\n(?<seq>\d{1,15})\n(?<hash>[\w+/]{43}=)\n(?<lines>(?:.+\n)*)$/;

/** Undefined for what has another form. Nothing of it is believed before its signature was checked. */
export function parseNote(text: string): SignedNote | undefined {
  const { body, keyName, signature } = groupsOf(noteForm, text);
  const { origin: name, seq, hash, lines } = groupsOf(bodyForm, body);
  const { stream, suffix } = groupsOf(origin, name);
  if (body === undefined || lines === undefined || suffix === undefined) return undefined;
  const pairs = lines.split('\n').filter(Boolean);
  return {
    kind: suffix === '' ? 'checkpoint' : suffix === '/anchor' ? 'anchor' : 'export',
    stream: stream as Stream,
    seq: Number(seq),
    hash: bytesOf(hash),
    extra: Object.fromEntries(pairs.map((pair) => [pair.split(' ', 1)[0], pair.slice(pair.indexOf(' ') + 1)])),
    body,
    keyName: String(keyName),
    signature: bytesOf(signature),
  };
}

const groupsOf = (form: RegExp, text = ''): Readonly<Record<string, string | undefined>> =>
  form.exec(text)?.groups ?? {};

const bytesOf = (base64 = ''): Buffer => Buffer.from(base64, 'base64');
