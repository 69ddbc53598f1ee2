import { Injectable } from '@nestjs/common';
import type { Readable } from 'node:stream';
import type { Principal } from '../access/principal.js';

export type StreamEnd = 'shutdown' | 'session-ended';

/** An answer that has no end of its own, such as server-sent events, or one that takes long. */
export interface OpenStream {
  readonly principal: Principal;
  /** At a shutdown an answer that ends by itself may go on; what has no end of its own must end. */
  end(why: StreamEnd): void;
}

/** A client that reads no more does not hold the end up. */
const endingMs = 1_000;

/** What is sent for longer than a request takes. Features register it; the drain and authentication end it. */
@Injectable()
export class OpenStreams {
  private readonly streams = new Set<OpenStream>();
  private isStopping = false;

  get size(): number {
    return this.streams.size;
  }

  /** @returns to be called when the stream has ended. */
  add(stream: OpenStream): () => void {
    this.streams.add(stream);
    if (this.isStopping) stream.end('shutdown');
    return () => void this.streams.delete(stream);
  }

  /** For a stream that a feature pushes events into: its end is a complete answer, and clients then connect anew. */
  addEvents(principal: Principal, events: Readable): void {
    const end = (): void => {
      if (events.destroyed || events.readableEnded) return;
      events.push(null);
      setTimeout(() => events.destroy(), endingMs).unref();
    };
    events.once('close', this.add({ principal, end }));
  }

  /** All of them, and those that begin from now on. */
  endAll(): void {
    this.isStopping = true;
    for (const stream of this.streams) stream.end('shutdown');
  }

  /** Those whose principal does not pass the test any more. */
  async review(
    concerns: (principal: Principal) => boolean,
    isStill: (principal: Principal) => Promise<boolean>,
  ): Promise<void> {
    for (const stream of this.streams) {
      if (concerns(stream.principal) && !(await isStill(stream.principal))) stream.end('session-ended');
    }
  }
}
