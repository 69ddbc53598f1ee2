const barWidth = 30;
const linesEveryMilliseconds = 2_000;

/** A bar that redraws itself on a terminal; elsewhere a plain line every two seconds, so that logs stay readable. */
export class Progress {
  private readonly startedAt = performance.now();
  private lastLineAt = 0;
  private drawn = false;

  constructor(
    private readonly title: string,
    private readonly stream: NodeJS.WriteStream = process.stderr,
  ) {}

  /** Shows how far the work comes while it runs. */
  static async during<T>(
    title: string,
    work: (onProgress: (done: number, total?: number) => void) => Promise<T>,
  ): Promise<T> {
    const progress = new Progress(title);
    try {
      return await work((done, total) => progress.show(done, total));
    } finally {
      progress.end();
    }
  }

  /** @param total how many there are in all; undefined when nobody knows. */
  show(done: number, total?: number): void {
    const now = performance.now();
    const due = this.stream.isTTY ? 100 : linesEveryMilliseconds;
    if (now - this.lastLineAt < due && done !== total) return;
    this.lastLineAt = now;
    this.drawn = true;
    this.stream.write(this.stream.isTTY ? `\r${this.line(done, total)}\u001b[K` : `${this.line(done, total)}\n`);
  }

  /** Leaves the bar as it is and goes to the next line. */
  end(): void {
    if (this.stream.isTTY && this.drawn) this.stream.write('\n');
  }

  private line(done: number, total: number | undefined): string {
    const perMinute = Math.round((done / Math.max(1, performance.now() - this.startedAt)) * 60_000);
    const rate = `${perMinute.toLocaleString('en')}/min`;
    if (total === undefined || total === 0) return `${this.title}: ${done.toLocaleString('en')} (${rate})`;
    const share = Math.min(1, done / total);
    const bar = this.stream.isTTY ? `[${'#'.repeat(Math.round(share * barWidth)).padEnd(barWidth, '.')}] ` : '';
    return (
      `${this.title}: ${bar}${Math.floor(share * 100)} % ${done.toLocaleString('en')} of ` +
      `${total.toLocaleString('en')} (${rate})`
    );
  }
}
