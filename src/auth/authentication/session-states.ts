import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import type { Principal } from '../../common/principal.js';
import { PrincipalChanges } from '../../common/session-revocation.js';
import { rememberedMs, SharedState } from '../../shared-state/index.js';
import type { AccessClaims } from './access-tokens.js';
import { BoundedCache } from './bounded-cache.js';
import { SessionStateRepository, type SessionState } from './session-state.repository.js';

const remembered = 10_000;
const sessionEnded = 'session-ended';
const userChanged = 'user-changed';
const everyoneSignedOut = 'everyone-signed-out';

/** Told whom a revocation is about, after it is forgotten what they were allowed. */
type RevocationListener = (concerns: (principal: Principal) => boolean) => void;

interface Entry {
  readonly state: SessionState | undefined;
  readonly readAt: number;
}

/**
 * What each session allows now, remembered for at most 2 seconds. A revocation empties it on every instance before it is answered; an
 * instance that would not hear of one remembers nothing (ASVS v5.0.0-7.4.1, 8.3.2).
 */
@Injectable()
export class SessionStates {
  private readonly entries = new BoundedCache<string, Entry>(remembered);
  private revocations = 0;
  private readonly listeners: RevocationListener[] = [];

  constructor(
    private readonly repository: SessionStateRepository,
    private readonly sharedState: SharedState,
    private readonly clock: Clock,
    changes: PrincipalChanges,
  ) {
    sharedState.subscribe(sessionEnded, (sessionId) => this.forget(sessionId));
    sharedState.subscribe(userChanged, (userId) => this.forgetUser(userId));
    sharedState.subscribe(everyoneSignedOut, () => this.forgetAll());
    sharedState.onInterruption(() => this.forgetAll());
    changes.subscribe((userId) => sharedState.publish(userChanged, userId));
  }

  /** The caller, or undefined when the session or its user may do nothing any more. A database that is down throws. */
  async principalOf({ sessionId, userId }: Pick<AccessClaims, 'sessionId' | 'userId'>): Promise<Principal | undefined> {
    const now = this.clock.now().getTime();
    const known = this.entries.get(sessionId);
    const age = known === undefined ? -1 : now - known.readAt;
    const state = known !== undefined && age >= 0 && age < rememberedMs ? known.state : await this.read(sessionId, now);
    if (state === undefined || !state.active || state.expiresAt.getTime() <= now) return undefined;
    return state.principal.userId === userId ? state.principal : undefined;
  }

  /** Called on every instance, for each session or user that may no longer do what they could. */
  onRevocation(listener: RevocationListener): void {
    this.listeners.push(listener);
  }

  /** Tells every instance that the session has ended. To be called after the commit. */
  announceEnd(sessionId: string): Promise<void> {
    return this.sharedState.publish(sessionEnded, sessionId);
  }

  /** Tells every instance that no session is what it was. To be called after the commit. */
  announceEndOfAll(): Promise<void> {
    return this.sharedState.publish(everyoneSignedOut, '');
  }

  private forget(sessionId: string): void {
    this.revocations += 1;
    this.entries.delete(sessionId);
    this.tell((principal) => principal.sessionId === sessionId);
  }

  private forgetUser(userId: string): void {
    this.revocations += 1;
    this.entries.deleteWhere(({ state }) => state?.principal.userId === userId);
    this.tell((principal) => principal.userId === userId);
  }

  private forgetAll(): void {
    this.revocations += 1;
    this.entries.deleteWhere(() => true);
    this.tell(() => true);
  }

  private tell(concerns: (principal: Principal) => boolean): void {
    for (const listener of this.listeners) listener(concerns);
  }

  private async read(sessionId: string, readAt: number): Promise<SessionState | undefined> {
    const before = this.revocations;
    const state = await this.repository.find(sessionId);
    // A revocation that arrived during the read may be younger than the row: then nothing is remembered.
    if (before === this.revocations && this.sharedState.isListening) this.entries.set(sessionId, { state, readAt });
    return state;
  }
}
