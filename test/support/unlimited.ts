import { globSync } from 'node:fs';
import { resolve } from 'node:path';

/** In `unlimited.ts` beside the tests of the limits, which may have been removed with them. */
interface Lifting {
  readonly withoutLimits: () => void;
}

const found = await Promise.all(
  globSync('test/**/rate-limiting/unlimited.ts').map(async (file) => (await import(resolve(file))) as Lifting),
);

/** Lets a test ask more often than a person may. */
export function unlimited(): void {
  for (const { withoutLimits } of found) withoutLimits();
}
