import type { AuditEntry } from '../../audit-entry.js';
import type { Link, Stream } from '../chain.js';

/** An event with its place in the chain. */
export interface ExportRecord extends Link {
  readonly stream: Stream;
  readonly event: AuditEntry;
}

/** One line, without its end. */
export type Format = (record: ExportRecord) => string;
