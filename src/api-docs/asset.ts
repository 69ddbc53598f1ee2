import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

export const aDay = 'private, max-age=86400';
/** For what is ours and may change: who goes from page to page fetches it once, within the limit for guests. */
export const someMinutes = 'private, max-age=300';

/** Files of packages by name, read once: no request chooses a path, so none can climb out of a folder. */
export const asset = (name: string): (() => Buffer) => {
  const file = createRequire(import.meta.url).resolve(name);
  let bytes: Buffer | undefined;
  return () => (bytes ??= readFileSync(file));
};
