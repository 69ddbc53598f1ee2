import { Injectable } from '@nestjs/common';
import { Declarations } from '../declarations.js';

/** One value, with the words that tell it from others of its measure. */
export interface Reading {
  /** Few and known beforehand: a label that a client could choose would grow without end. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What can be read of the running service at any time: a length, an age, a state. */
export interface Measure {
  /** In the form of Prometheus, with its unit: `mail_oldest_waiting_seconds`. */
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  /** Names of the labels of its readings. */
  readonly labels?: readonly string[];
  /** A rejection leaves the measure out of that reading, and out of no other. */
  readonly read: () => Readings | Promise<Readings>;
}
type Readings = number | readonly Reading[];

/** Each part says what of it can be measured. Metrics, detection and consoles read it; none of them is known here. */
@Injectable()
export class Measures {
  private readonly declared = new Declarations<Measure>('measure');

  /** @throws Error for a name that is there already. */
  add(measure: Measure): void {
    this.declared.add(measure);
  }

  /** In the order of their names. @public: every user of it can be removed. */
  list(): readonly Measure[] {
    return this.declared.list().toSorted((one, other) => (one.name < other.name ? -1 : 1));
  }
}

/** Longer is never waited for: whoever looks at measures hangs with none of them. */
const maxReadMs = 1_000;

/**
 * What the measure says now.
 * @throws Error when it fails, takes longer than a second, or is no number.
 * @public: every user of it can be removed.
 */
export async function readMeasure({ name, read }: Measure): Promise<readonly Reading[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} takes too long`)), maxReadMs);
  });
  try {
    const result = await Promise.race([read(), late]);
    const readings = typeof result === 'number' ? [{ labels: {}, value: result }] : result;
    if (!readings.every(({ value }) => Number.isFinite(value))) throw new Error(`${name} is no number`);
    return readings;
  } finally {
    clearTimeout(timer);
  }
}
