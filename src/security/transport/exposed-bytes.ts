import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { ExposedText } from '../../common/access/exposed-credentials.js';
import { networkOf } from '../../common/http/network.js';

/** As much as a body and a header block over HTTPS may have together, nearly: nothing that we take is longer. */
const maxBytes = 64 * 1024;

/** The first bytes that came over a connection, whether or not a parser could make something of them. */
export class ReceivedBytes {
  private readonly chunks: Buffer[] = [];
  private length = 0;
  private readLength = 0;
  /** More came than was kept. */
  isCut = false;

  constructor(readonly socket: Socket) {
    // In front of the parser, which may end the connection at what it cannot read.
    socket.prependListener('data', (chunk: Buffer) => this.add(chunk));
  }

  get hasUnread(): boolean {
    return this.length > this.readLength;
  }

  read(): Buffer {
    this.readLength = this.length;
    return Buffer.concat(this.chunks);
  }

  /** Resolves when the whole request is here, or has broken off, or more of it would not be kept. */
  async until(request: IncomingMessage): Promise<void> {
    if (request.complete && request.readableLength === 0) return;
    await new Promise<void>((resolve) => {
      for (const end of ['end', 'error', 'close']) request.once(end, () => resolve());
      request.on('data', () => (this.isCut ? resolve() : undefined));
    });
  }

  private add(chunk: Buffer): void {
    const kept = chunk.subarray(0, maxBytes - this.length);
    this.isCut ||= kept.length < chunk.length;
    if (kept.length === 0) return;
    this.chunks.push(kept);
    this.length += kept.length;
  }
}

/** Also what nobody here can revoke, or what another service issued: whoever sends that in clear has to be told. */
const credentialField = /^(?:proxy-)?authorization|^cookie|^x-api-key|^dpop/im;
const credentialName = /(?:password|secret|api_?key|(?:access|refresh|id|device)_?token|token|code)["']?\s*[=:]/i;

/**
 * The received bytes, read as each layer may read them: as they are, in one piece where a chunked body was cut,
 * percent-encoded once and twice, with the escapes of JSON, and what base64 hides (`Authorization: Basic`, the client
 * data of a passkey). Not inflated.
 */
export function readExposed(bytes: Buffer): { text: ExposedText; namesCredential: boolean } {
  const raw = bytes.toString('latin1');
  const views = new Set<string>();
  for (const text of [raw, raw.replace(/\r\n[0-9a-f]{1,8}(?:;[^\r\n]{0,256})?\r\n/gi, '')]) addViews(views, text);
  addViews(views, insideBase64(views));
  const namesCredential = credentialField.test(raw) || [...views].some((view) => credentialName.test(view));
  return { text: new ExposedText([...views]), namesCredential };
}

function addViews(views: Set<string>, text: string): void {
  const unescaped = text
    .replace(/\\u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll('\\/', '/');
  for (const view of [
    text,
    unescaped,
    decodePercent(text),
    decodePercent(decodePercent(text)),
    decodePercent(unescaped),
  ])
    views.add(view);
}

const decodePercent = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

const insideBase64 = (views: ReadonlySet<string>): string =>
  [...new Set([...views].flatMap((view) => view.match(/[\w+/-]{24,}/g) ?? []))]
    .map((text) => Buffer.from(text, 'base64').toString('latin1'))
    .join('\n');

const windowMs = 60_000;
/**
 * Further networks of a window share one budget: neither memory nor the audit trail grows with what an attacker can
 * rotate.
 */
const maxNetworks = 500;

/** Counts per network and minute, in bounded memory, for a listener in front of which no guard stands. */
export class NetworkBudget {
  private readonly used = new Map<string, number>();
  private windowEnd = 0;

  /** @returns how much its network has used in the running minute, this included. `now` is in milliseconds. */
  use(address: string, amount = 1, now = performance.now()): number {
    if (now >= this.windowEnd) {
      this.used.clear();
      this.windowEnd = now + windowMs;
    }
    const network = networkOf(address);
    const key = this.used.has(network) || this.used.size < maxNetworks ? network : 'further networks';
    const count = (this.used.get(key) ?? 0) + amount;
    this.used.set(key, count);
    return count;
  }
}
