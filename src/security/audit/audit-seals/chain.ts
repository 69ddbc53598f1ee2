import { hash } from 'node:crypto';
import { lengthPrefixed } from '@nestjs-secure-template/field-encryption';

/** Two chains, because what was done and what was refused are kept for different times: each is cut at its start. */
export const streams = ['changes', 'refusals'] as const;
export type Stream = (typeof streams)[number];

/** A place in a chain, and what it says of all before it. */
export interface Link {
  /** From 1, without gaps; 0 before the first. */
  readonly seq: number;
  /** 32 bytes. */
  readonly hash: Buffer;
}

/** What a link holds of its event: the MAC covers every other column. */
export interface LinkedEvent {
  readonly id: string;
  readonly macKeyId: string;
  readonly mac: string;
}

export const beginning: Link = { seq: 0, hash: Buffer.alloc(32) };

export const streamOf = (outcome: string): Stream => (outcome === 'success' ? 'changes' : 'refusals');

/** The link behind `previous`. The name of the stream is part of it: no chain continues the other one. */
export function linkOf(stream: Stream, previous: Link, { id, macKeyId, mac }: LinkedEvent): Link {
  const bytes = lengthPrefixed([`audit-link:v1:${stream}`, previous.hash, id, macKeyId, mac]);
  // By way of a text: a buffer of the digest's own costs more than the digest, and this is done by the million.
  return { seq: previous.seq + 1, hash: Buffer.from(hash('sha256', bytes, 'latin1'), 'latin1') };
}
