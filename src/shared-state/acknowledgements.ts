interface Waiting {
  heard: number;
  expected: number;
  readonly done: () => void;
}

/** Counts who has heard an announcement. */
export class Acknowledgements {
  private readonly waiting = new Map<string, Waiting>();

  /**
   * Resolves when as many have heard it as `expect()` says, and after the bound at the latest. To be called before it
   * is announced.
   */
  async all(id: string, boundMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((done) => {
      timer = setTimeout(done, boundMs);
      this.waiting.set(id, { heard: 0, expected: Number.POSITIVE_INFINITY, done });
    });
    clearTimeout(timer);
    this.waiting.delete(id);
  }

  /** Known only after the announcement, when some may have answered already. */
  expect(id: string, expected: number): void {
    this.update(id, (waiting) => (waiting.expected = expected));
  }

  heard(id: string): void {
    this.update(id, (waiting) => (waiting.heard += 1));
  }

  private update(id: string, change: (waiting: Waiting) => void): void {
    const waiting = this.waiting.get(id);
    if (waiting === undefined) return;
    change(waiting);
    if (waiting.heard >= waiting.expected) waiting.done();
  }
}
