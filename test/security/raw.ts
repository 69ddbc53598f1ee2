import { connect, type TLSSocket } from 'node:tls';
import type { SmallApp } from './small-app.js';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Status lines on the connection: two mean that one message was taken for two. */
  readonly answers: number;
}

/** Opens a TLS connection as any client may, and leaves the bytes to the test. */
export function open(app: Pick<SmallApp, 'port' | 'ca'>): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: '127.0.0.1',
      servername: 'localhost',
      port: app.port,
      ca: app.ca,
      ALPNProtocols: ['http/1.1'],
    });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Sends the bytes and reads until the service closes the connection. */
export async function exchange(app: Pick<SmallApp, 'port' | 'ca'>, bytes: string | Buffer): Promise<RawAnswer> {
  const socket = await open(app);
  const closed = readToEnd(socket);
  socket.write(bytes);
  return closed;
}

export function readToEnd(socket: TLSSocket): Promise<RawAnswer> {
  const chunks: Buffer[] = [];
  return new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(parse(Buffer.concat(chunks).toString('latin1'))));
  });
}

export function parse(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [line = '', ...fields] = head.split('\r\n');
  const headers = Object.fromEntries(
    fields.map((field) => [field.split(':', 1)[0]?.toLowerCase() ?? '', field.replace(/^[^:]*:\s*/, '')]),
  );
  return {
    status: Number(line.split(' ')[1] ?? 0),
    headers,
    body: rest.join('\r\n\r\n'),
    answers: text.match(/HTTP\/1\.1 \d{3} /g)?.length ?? 0,
  };
}
