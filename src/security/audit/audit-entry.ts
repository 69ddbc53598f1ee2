import { randomUUIDv7 } from 'node:crypto';
import type { Macs } from '../../common/macs.js';
import { networkOf } from '../../common/http/network.js';
import { requestContext } from '../../common/http/request-context.js';
import { runningOperator } from '../../common/events/operator.js';
import type { SecurityEvent } from '../../common/events/security-events.js';

/** A row of `audit_events` without its MAC. */
export interface AuditFacts {
  readonly id: string;
  readonly at: Date;
  readonly action: string;
  readonly outcome: string;
  readonly actorId: string | null;
  readonly sessionId: string | null;
  /** `person` or `machine`; null where nobody was authenticated, and for commands and background work. */
  readonly actorKind: string | null;
  /** The API key, client or certificate by which the actor called. */
  readonly machineId: string | null;
  readonly targetType: string | null;
  readonly targetId: string | null;
  readonly requestId: string | null;
  /** IPv4 address or IPv6 /64 of the client. */
  readonly network: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface AuditEntry extends AuditFacts {
  readonly macKeyId: string;
  /** base64url of 32 bytes. */
  readonly mac: string;
}

/** The event as a row: who, from where and in which request are taken from the running request. */
export function toEntry(event: SecurityEvent, at: Date, macs: Macs): AuditEntry {
  const facts: AuditFacts = {
    id: randomUUIDv7(),
    at,
    action: event.action,
    outcome: event.outcome,
    ...origin(event.actorId),
    targetType: event.target?.type ?? null,
    targetId: event.target === undefined ? null : storable(event.target.id),
    details: storable({ ...event.details, ...runningOperator() }),
  };
  return sealed(facts, macs);
}

/** The row that stands for `repeated` further events like the first: of nobody's one request. */
export function toSummary(first: AuditFacts, repeated: number, at: Date, macs: Macs): AuditEntry {
  const details = { ...first.details, repeated, since: first.at.toISOString() };
  return sealed({ ...first, id: randomUUIDv7(), at, sessionId: null, requestId: null, details }, macs);
}

/** A row for whoever reads the whole table: its time is a text in ISO 8601, or whatever stands there instead. */
export type StoredEntry = Omit<AuditEntry, 'at'> & { readonly at: string };

/** The entry as the database client takes it. */
export const rowOf = (entry: AuditEntry) => ({ ...entry, details: { ...entry.details } as object });

function sealed(facts: AuditFacts, macs: Macs): AuditEntry {
  const { keyId, mac } = macs.sign('audit', canonical(facts));
  return { ...facts, macKeyId: keyId, mac: mac.toString('base64url') };
}

/**
 * Without what no text of the database holds: NUL, and halves of characters. Else a name that a client made up costs us
 * the event.
 */
function storable<T>(value: T): T {
  if (typeof value === 'string') return value.replaceAll('\0', '').toWellFormed() as T;
  if (Array.isArray(value)) return value.map((item) => storable(item)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [storable(name), storable(item)])) as T;
}

/** Who, from where, and in which request: nothing of it for commands and background work. */
function origin(actorId: string | undefined) {
  const context = requestContext();
  const nobody = { actorId: actorId ?? null, sessionId: null, actorKind: null, machineId: null };
  if (context === undefined) return { ...nobody, requestId: null, network: null };
  const { requestId, address, principal } = context;
  return {
    ...nobody,
    ...(principal && {
      actorId: actorId ?? principal.userId,
      actorKind: principal.kind,
      sessionId: principal.kind === 'person' ? principal.sessionId : null,
      machineId: principal.kind === 'machine' ? principal.machineId : null,
    }),
    requestId,
    network: networkOf(address),
  };
}

/** True when no column of the row was changed since the service wrote it. */
export const isGenuine = (entry: AuditEntry | StoredEntry, macs: Macs): boolean =>
  macs.verify('audit', entry.macKeyId, canonical(entry), Buffer.from(entry.mac, 'base64url'));

/** Every column as text, in a fixed order; `details` with sorted keys, because jsonb does not keep their order. */
function canonical(facts: AuditFacts | StoredEntry): string[] {
  const { id, action, outcome, details } = facts;
  const at = typeof facts.at === 'string' ? facts.at : facts.at.toISOString();
  const { actorId, sessionId, actorKind, machineId, targetType, targetId, requestId, network } = facts;
  const who = [actorId, sessionId, actorKind, machineId];
  const columns = [id, at, action, outcome, ...who, targetType, targetId, requestId, network];
  return [...columns.map((column) => (column === null ? 'null' : `=${column}`)), sorted(details)];
}

function sorted(details: unknown): string {
  // Whoever owns the database can put any JSON there: that is no text of ours, and no reason to stop.
  if (typeof details !== 'object' || details === null || Array.isArray(details)) return 'no object';
  const entries = Object.entries(details).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify(entries);
}
