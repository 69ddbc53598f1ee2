/** One thing that counts for a key: whatever is the same member counts once. */
export interface Mark {
  /** Of the rule and what it counts by. */
  readonly key: string;
  readonly member: string;
  /** Milliseconds. */
  readonly at: number;
  readonly windowMs: number;
  /** `Infinity`: it is only remembered, for `take()`. */
  readonly threshold: number;
}

/** About 20 MB at worst: strangers have as many networks as they like, and must not have our memory. */
const bounds = { keys: 20_000, marks: 200_000 };

/**
 * Marks within sliding windows, in bounded memory: the key that was quiet for longest goes first, and is counted. A
 * mark counts while it is less than a window away, on either side: a clock that was set back neither makes marks that
 * never end nor brings back what was over.
 */
export class Windows {
  /** In the order of their last mark. */
  private readonly keys = new Map<string, Map<string, number>>();
  private marks = 0;
  /** Keys that were given up for lack of room. */
  evicted = 0;

  constructor(private readonly max = bounds) {}

  /** @returns how many there are when they are enough, and the key begins anew; else undefined. */
  add({ key, member, at, windowMs, threshold }: Mark): number | undefined {
    const marks = this.keys.get(key) ?? new Map<string, number>();
    this.marks += marks.has(member) ? 0 : 1;
    marks.set(member, at);
    this.keys.delete(key);
    this.keys.set(key, marks);
    if (marks.size >= Math.min(threshold, this.max.marks)) this.drop(marks, at, windowMs);
    if (marks.size >= threshold) return this.delete(key);
    this.makeRoom();
    return undefined;
  }

  /** Whether there is a mark, which is then gone. */
  take({ key, at, windowMs }: Omit<Mark, 'member' | 'threshold'>): boolean {
    const marks = this.keys.get(key);
    if (marks === undefined) return false;
    this.drop(marks, at, windowMs);
    return this.delete(key) > 0;
  }

  private drop(marks: Map<string, number>, now: number, windowMs: number): void {
    for (const [member, at] of marks)
      if (Math.abs(now - at) >= windowMs) {
        marks.delete(member);
        this.marks--;
      }
  }

  private delete(key: string): number {
    const size = this.keys.get(key)?.size ?? 0;
    this.keys.delete(key);
    this.marks -= size;
    return size;
  }

  private makeRoom(): void {
    for (const key of this.keys.keys()) {
      if (this.keys.size <= this.max.keys && this.marks <= this.max.marks) return;
      this.delete(key);
      this.evicted++;
    }
  }
}
