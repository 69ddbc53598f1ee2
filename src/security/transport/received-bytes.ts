import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

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
