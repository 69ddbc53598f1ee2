import { subscribe } from 'node:diagnostics_channel';
import { isIP, Socket } from 'node:net';

// Whom this process contacts, seen below every client: http, tls, fetch, pg, ioredis and nodemailer end up in a
// net.Socket, whatever they were given. Bytes are seen above TLS, as they were before encryption.

interface Internals {
  connect(...parameters: unknown[]): Socket;
  _writeGeneric(isVector: boolean, data: unknown, encoding: string, done: unknown): void;
}

/** One for the process, however often this module is loaded in it. */
const record = ((globalThis as Record<symbol, unknown>)[Symbol.for('tests.contacts')] ??= {
  isOn: false,
  /** `address:port`, or the path of a socket. */
  seen: new Set<string>(),
  strays: new Set<string>(),
  taps: new Map<number, Buffer[]>(),
}) as { isOn: boolean; seen: Set<string>; strays: Set<string>; taps: Map<number, Buffer[]> };
const { seen, strays, taps } = record;

const isOwn = (host: string): boolean => /^(127\.|::1$|::ffff:127\.|localhost$)|\.localhost$/.test(host);

function note(host: string, port: number | undefined): void {
  if (port === undefined) return void seen.add(host);
  seen.add(`${host}:${port}`);
  if (!isOwn(host)) strays.add(`${host}:${port}`);
}

/** A name that only the test's own resolver knows is none that was asked for outside. */
function noteName(error: NodeJS.ErrnoException | null, host: string): void {
  if (error?.syscall === 'getaddrinfo' && isIP(host) === 0 && !isOwn(host)) strays.add(`${host}, by name`);
}

function bytesOf(data: unknown, encoding: string): Buffer {
  if (typeof data === 'string') return Buffer.from(data, encoding as BufferEncoding);
  if (data instanceof Uint8Array) return Buffer.from(data);
  const chunks = data as { chunk: unknown; encoding: string }[];
  return Buffer.concat(chunks.map((each) => bytesOf(each.chunk, each.encoding)));
}

/** Once for a process, however many files of tests it runs. */
export function recordContacts(): void {
  if (record.isOn) return;
  record.isOn = true;
  const sockets = Socket.prototype as unknown as Internals;
  const { connect, _writeGeneric: write } = sockets;
  sockets.connect = function (this: Socket, ...parameters) {
    this.on('connectionAttempt', note);
    this.on('lookup', (error: Error | null, _address, _family, host: string) => noteName(error, host));
    return connect.apply(this, parameters);
  };
  // eslint-disable-next-line no-underscore-dangle -- where Node writes, for sockets and TLS alike
  sockets._writeGeneric = function (this: Socket, isVector, data, encoding, done) {
    // What waits for the connection comes by again. What a server answers goes to a port of its client, whose number
    // may be one that is watched: clients of other loopback addresses are free to have it.
    const isAnswer = ((this as { server?: unknown }).server ?? undefined) !== undefined;
    if (!this.connecting && !isAnswer) taps.get(this.remotePort ?? 0)?.push(bytesOf(data, encoding));
    return write.call(this, isVector, data, encoding, done);
  };
  subscribe('udp.socket', () => strays.add('a socket of UDP'));
}

/** All that was contacted since `forgetContacts()`. */
export const contacts = (): string[] => [...seen].toSorted();
export const forgetContacts = (): void => seen.clear();

/** Hosts other than this machine, since the last call. */
export function takeStrays(): string[] {
  const found = [...strays].toSorted();
  strays.clear();
  return found;
}

/** @returns what is written to that port from now on, before it is encrypted. */
export function tap(port: number): () => string {
  const chunks: Buffer[] = [];
  taps.set(port, chunks);
  return () => Buffer.concat(chunks).toString('latin1');
}
