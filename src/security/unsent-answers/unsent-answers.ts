import type { Socket } from 'node:net';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Problem } from '../../common/http/problem.js';

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/**
 * How many bytes of answers may wait to be sent (ASVS v5.0.0-15.2.2). They count from the moment the last byte is
 * written by a handler until the system has taken it: what a client does not read stays in the memory of the process.
 * Tests lower them; nothing else does.
 */
export const unsentBounds = {
  /** One connection, pipelined requests together: who asks for more without reading is cut. */
  perConnection: 2 * mebibyte,
  /** One user, and one network of guests, over all connections. */
  perCaller: 8 * mebibyte,
  /** The process: from here on only callers of whom next to nothing waits are served, and at twice as much nobody. */
  total: 128 * mebibyte,
  modestShare: 512 * kibibyte,
  /** What a request counts for until its answer is made. */
  perRunningRequest: 64 * kibibyte,
  /**
   * A reader has to take so much, on average and after a first moment; patience alone would let a byte a minute hold
   * everything.
   */
  minBytesPerSecond: 8 * kibibyte,
  graceMs: 10_000,
  checkIntervalMs: 1_000,
};

const warningEveryMs = 60_000;

/** One request, from its head to the last byte of its answer. */
export interface UnsentAnswer {
  readonly connection: Connection;
  caller: string;
  bytes: number;
}

interface Connection {
  readonly socket: Socket;
  readonly answers: Set<UnsentAnswer>;
  /** How many of the answers are made, and wait to be read. */
  waiting: number;
  /** Until when they have to be taken. */
  dueAt: number;
}

/** Who holds how much of the memory with answers that are not sent yet. */
@Injectable()
export class UnsentAnswers implements OnApplicationShutdown {
  private readonly logger = new Logger('UnsentAnswers');
  private readonly connections = new Map<Socket, Connection>();
  private readonly callers = new Map<string, number>();
  private readonly sweep = setInterval(() => this.cutSlowReaders(), unsentBounds.checkIntervalMs).unref();
  private nextWarning = 0;
  /** In bytes; shown to tests and to whoever debugs. */
  total = 0;

  onApplicationShutdown(): void {
    clearInterval(this.sweep);
  }

  /**
   * @param caller the network, until `claim()` names the user.
   * @throws Problem unavailable, with the connection cut, when so much waits on it already.
   */
  begin(socket: Socket, caller: string): UnsentAnswer {
    const connection = this.connections.get(socket) ?? this.open(socket);
    if (socket.destroyed || this.heldBy(connection) >= unsentBounds.perConnection) {
      socket.destroy();
      throw tooMuch();
    }
    const answer = { connection, caller, bytes: 0 };
    connection.answers.add(answer);
    this.count(answer, unsentBounds.perRunningRequest);
    return answer;
  }

  /**
   * Asked before the answer is made. @throws Problem unavailable when too much waits for the caller, or for everybody.
   */
  claim(answer: UnsentAnswer, caller: string): void {
    const { bytes } = answer;
    if (hasEnded(answer)) return;
    this.count(answer, 0);
    answer.caller = caller;
    this.count(answer, bytes);
    this.expectRoom(answer);
  }

  /** The answer is made, and has so many bytes. @throws Problem unavailable, for which it is then dropped. */
  fill(answer: UnsentAnswer, bytes: number): void {
    if (hasEnded(answer)) return;
    this.count(answer, bytes);
    try {
      this.expectRoom(answer);
    } catch (error) {
      this.count(answer, 0);
      throw error;
    }
    answer.connection.waiting += 1;
    this.expect(answer, bytes);
  }

  /** So many bytes go to the client now: it gets more time to take them. */
  expect({ connection }: UnsentAnswer, bytes: number): void {
    const { graceMs, minBytesPerSecond } = unsentBounds;
    connection.dueAt = Math.max(connection.dueAt, performance.now() + graceMs) + (1000 * bytes) / minBytesPerSecond;
  }

  /** The client has everything, or is gone. */
  end(answer: UnsentAnswer): void {
    const { connection } = answer;
    if (!connection.answers.delete(answer)) return;
    this.count(answer, 0);
    connection.waiting = Math.max(0, connection.waiting - 1);
    // What was taken fast is no credit for later.
    if (connection.waiting === 0) connection.dueAt = 0;
  }

  private open(socket: Socket): Connection {
    const connection = { socket, answers: new Set<UnsentAnswer>(), waiting: 0, dueAt: 0 };
    this.connections.set(socket, connection);
    // Answers that wait behind another one of a pipeline are not told that the connection is gone.
    socket.once('close', () => {
      for (const answer of connection.answers) this.end(answer);
      this.connections.delete(socket);
    });
    return connection;
  }

  private count(answer: UnsentAnswer, bytes: number): void {
    const change = bytes - answer.bytes;
    const held = (this.callers.get(answer.caller) ?? 0) + change;
    if (held === 0) this.callers.delete(answer.caller);
    else this.callers.set(answer.caller, held);
    this.total += change;
    answer.bytes = bytes;
  }

  /** One answer alone is never too much for its caller. */
  private expectRoom({ caller, bytes }: UnsentAnswer): void {
    const held = this.callers.get(caller) ?? 0;
    const { perCaller, total, modestShare } = unsentBounds;
    const max = this.total > 2 * total ? 0 : this.total > total ? modestShare : perCaller;
    if (max === 0 || (held > max && held > bytes)) throw tooMuch();
  }

  private heldBy({ answers }: Connection): number {
    let bytes = 0;
    for (const answer of answers) bytes += answer.bytes;
    return bytes;
  }

  private cutSlowReaders(): void {
    const now = performance.now();
    for (const { socket, dueAt } of this.connections.values()) {
      if (dueAt === 0 || dueAt > now || socket.writableLength === 0) continue;
      socket.destroy();
      if (now < this.nextWarning) continue;
      this.nextWarning = now + warningEveryMs;
      this.logger.warn(
        `connections are cut: their clients read less than ${unsentBounds.minBytesPerSecond} bytes a second`,
      );
    }
  }
}

/** The connection closed while the handler ran: what it makes goes nowhere. */
const hasEnded = (answer: UnsentAnswer): boolean => !answer.connection.answers.has(answer);

const tooMuch = () =>
  new Problem('unavailable', 'Too many of your answers wait to be read.', { headers: { 'Retry-After': '5' } });
