/** A map that forgets the least recently used entry when it is full: memory stays bounded whatever clients send. */
export class BoundedCache<K, V> {
  private readonly entries = new Map<K, V>();

  /** @param limit entries. */
  constructor(private readonly limit: number) {}

  get(key: K): V | undefined {
    const value = this.entries.get(key);
    if (value === undefined) return undefined;
    this.entries.delete(key);
    this.entries.set(key, value);
    return value;
  }

  set(key: K, value: V): void {
    this.entries.delete(key);
    this.entries.set(key, value);
    if (this.entries.size <= this.limit) return;
    for (const oldest of this.entries.keys()) {
      this.entries.delete(oldest);
      return;
    }
  }

  delete(key: K): void {
    this.entries.delete(key);
  }

  deleteWhere(condition: (value: V) => boolean): void {
    for (const [key, value] of this.entries) if (condition(value)) this.entries.delete(key);
  }
}
