import { Injectable } from '@nestjs/common';
import type { Principal } from './principal.js';

/** Who may no longer do what they could: one session, one machine, a user with all of both, or everybody. */
export type Revocation =
  | { readonly sessionId: string }
  | { readonly machineId: string }
  | { readonly userId: string }
  | 'everyone';

/** What is of no known form concerns everybody. */
export const isConcerned = (principal: Principal, revocation: Revocation): boolean => {
  const id = idOf(revocation);
  if (id !== undefined) return id === (principal.kind === 'machine' ? principal.machineId : principal.sessionId);
  if (typeof revocation === 'object' && 'userId' in revocation) return revocation.userId === principal.userId;
  return true;
};

/** Of the one session, or the one machine, that it is about. */
export function idOf(revocation: Revocation): string | undefined {
  if (typeof revocation !== 'object') return undefined;
  if ('sessionId' in revocation) return revocation.sessionId;
  return 'machineId' in revocation ? revocation.machineId : undefined;
}

type Listener = (revocation: Revocation) => Promise<void>;

/**
 * How whoever ends sessions, or changes what a user may do (roles, status, deletion), tells whoever remembers it for a
 * while. Authentication listens, and has every instance forget it at once.
 */
@Injectable()
export class Revocations {
  private readonly listeners: Listener[] = [];

  subscribe(listener: Listener): void {
    this.listeners.push(listener);
  }

  /** To be called after the commit: announced earlier, the old state could be read and remembered once more. */
  async announce(revocation: Revocation): Promise<void> {
    for (const listener of this.listeners) await listener(revocation);
  }
}
