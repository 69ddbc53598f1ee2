export const purposeWords = ['pii', 'jwt'] as const;

/** A line of a schema file, from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** Every fault of the annotations at once, each with its line and the fix. */
export class SchemaFaults {
  private readonly faults: { readonly place: Place; readonly text: string }[] = [];

  get none(): boolean {
    return this.faults.length === 0;
  }

  add(place: Place, fault: string, fix: string): void {
    this.faults.push({ place, text: `${place.file}:${place.line}: ${fault}: ${fix}` });
  }

  /** @throws Error with all faults, in the order of their lines. */
  throwIfAny(): void {
    if (this.none) return;
    const inOrder = this.faults.toSorted((one, other) => one.place.line - other.place.line);
    throw new Error(`field encryption: the schema is not accepted\n${inOrder.map(({ text }) => text).join('\n')}`);
  }
}
