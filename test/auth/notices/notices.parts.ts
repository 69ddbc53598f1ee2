import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SecurityEvent } from '../../../src/common/events/security-events.js';

// What people must be told of stands in `notices.ts` beside the tests of the feature that does it: whoever removes a
// feature removes its notices with it.

/** An event about a person, the subject of its mail, and words of its text. */
export type NoticeRow = readonly [action: string, subject: string, words: string, details?: SecurityEvent['details']];

const files = globSync('test/**/notices.ts').toSorted();

export const rows: readonly NoticeRow[] = (
  await Promise.all(files.map(async (file) => (await import(resolve(file))) as { noticeRows: readonly NoticeRow[] }))
).flatMap(({ noticeRows }) => noticeRows);
