import { writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';

/** What it writes with, so that a test can be a pipe that is full. */
export interface Outlet {
  /** @returns how many bytes were taken. @throws EAGAIN when none are, now. */
  readonly write: (bytes: Buffer) => number;
  /** How much may wait while nobody takes it. */
  readonly maxWaitingBytes: number;
}

const blockLength = 4096;
const flushEveryMs = 100;
/** How long the end of the process waits for a reader that is slow. */
const maxFlushAtExitMs = 500;

/**
 * Standard output in blocks, which never waits for its reader: a line waits 100 ms at most while its reader reads, and
 * what is left is written when the process ends. SIGKILL loses those last 100 ms. A write in libuv's pool, or one that
 * is repeated until it works, keeps the process from ending for as long as nobody reads the pipe or the disk is full,
 * with the lock of the database held (ASVS v5.0.0-16.5.2).
 */
export class StandardOutput implements DestinationStream {
  private text = '';
  private blocks: Buffer[] = [];
  /** What nobody has taken yet. */
  waitingBytes = 0;
  /** Lines that found no place, since the start. */
  lostLines = 0;
  private isStalled = false;
  /** Lines that found no place since the reader stalled. */
  private lost = 0;

  constructor(private readonly outlet: Outlet = standardOutlet()) {}

  /** Writes what waits every 100 ms, and at the end of the process. */
  start(): void {
    setInterval(() => this.flush(), flushEveryMs).unref();
    process.once('exit', () => this.flushAtExit());
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.waitingBytes + bytes > this.outlet.maxWaitingBytes) return this.lose();
    this.text += line;
    this.waitingBytes += bytes;
    if (this.text.length < blockLength) return;
    this.cut();
    // While nobody takes anything only the timer tries: the next line would pay for the refused write otherwise.
    if (!this.isStalled) this.flush();
  }

  /** @returns the code of the fault that left lines waiting. */
  flush(): string | undefined {
    if (this.text !== '') this.cut();
    try {
      while (this.blocks[0] !== undefined) this.drop(this.outlet.write(this.blocks[0]));
      this.isStalled = false;
    } catch (error) {
      this.isStalled = true;
      return (error as NodeJS.ErrnoException).code ?? 'unknown';
    }
    this.tellLost();
    return undefined;
  }

  /** A slow reader gets a moment; a full disk and a reader that is gone get none. */
  private flushAtExit(): void {
    const pause = new Int32Array(new SharedArrayBuffer(4));
    const until = performance.now() + maxFlushAtExitMs;
    while (this.flush() === 'EAGAIN' && performance.now() < until) Atomics.wait(pause, 0, 0, 10);
    if (this.blocks.length > 0) process.stderr.write('the log took no more: its last lines are lost\n');
  }

  private lose(): void {
    this.lost += 1;
    this.lostLines += 1;
  }

  private cut(): void {
    this.blocks.push(Buffer.from(this.text));
    this.text = '';
  }

  private drop(taken: number): void {
    this.waitingBytes -= taken;
    const rest = this.blocks[0]?.subarray(taken);
    if (rest === undefined || rest.length === 0) this.blocks.shift();
    else this.blocks[0] = rest;
  }

  /** A gap in the log says itself that it is one. */
  private tellLost(): void {
    if (this.lost === 0) return;
    const message = `${this.lost} lines of the log were lost: its reader did not take them`;
    this.lost = 0;
    const entry = { 'log.level': 'error', '@timestamp': new Date().toISOString(), message };
    this.write(`${JSON.stringify({ ...entry, 'event.action': 'sys_monitor_disabled' })}\n`);
  }
}

function standardOutlet(): Outlet {
  // Node opens the pipe when it is asked for the stream, and that is what makes it non-blocking: a full one answers
  // EAGAIN from then on.
  const { fd } = process.stdout;
  return { write: (bytes) => writeSync(fd, bytes), maxWaitingBytes: 8 * 1024 * 1024 };
}
