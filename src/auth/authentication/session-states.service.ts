import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '../../common/clock.js';
import { MachineAuthenticators } from '../../common/access/machine-authenticators.js';
import type { Person, Principal } from '../../common/access/principal.js';
import { isConcerned, Revocations, type Revocation } from '../../common/access/revocations.js';
import { OpenStreams } from '../../common/http/open-streams.js';
import { SharedState } from '../../shared-state/index.js';
import { SessionRepository, type SessionState } from '../sessions/session.repository.js';
import type { AccessClaims } from './access-tokens.js';
import { RememberedStates } from './remembered-states.js';

/** The channel of the instances. */
const channel = 'revocation';

/** Sessions also expire, and a message of a revocation can be lost. */
const reviewStreamsEveryMs = 30_000;

/**
 * What each session allows now. Hears of every revocation, also of those that are about machines: open streams end with
 * what opened them, and when its rights change, because they were checked once, at the beginning (ASVS v5.0.0-7.4.1,
 * 8.3.2).
 */
@Injectable()
export class SessionStates implements OnApplicationShutdown {
  private readonly states: RememberedStates<SessionState>;
  private readonly timer = setInterval(() => void this.reviewStreams('everyone'), reviewStreamsEveryMs).unref();

  constructor(
    repository: SessionRepository,
    sharedState: SharedState,
    private readonly streams: OpenStreams,
    private readonly machines: MachineAuthenticators,
    private readonly clock: Clock,
    revocations: Revocations,
  ) {
    this.states = new RememberedStates((id) => repository.findState(id), sharedState, clock);
    revocations.subscribe((revocation) => sharedState.publish(channel, JSON.stringify(revocation)));
    sharedState.subscribe(channel, (message) => this.forget(readRevocation(message)));
    sharedState.onInterruption(() => this.forget('everyone'));
  }

  /** The caller, or undefined when the session or its user may do nothing any more. A database that is down throws. */
  async principalOf({ sessionId, userId }: Pick<AccessClaims, 'sessionId' | 'userId'>): Promise<Person | undefined> {
    const state = await this.states.find(sessionId);
    if (state === undefined || !state.active || state.expiresAt <= this.clock.now()) return undefined;
    return state.principal.userId === userId ? state.principal : undefined;
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private forget(revocation: Revocation): void {
    this.states.forget(revocation);
    this.machines.forget(revocation);
    void this.reviewStreams(revocation);
  }

  /** A database that does not answer ends them too. */
  private reviewStreams(revocation: Revocation): Promise<void> {
    const concerns = (principal: Principal): boolean => isConcerned(principal, revocation);
    return this.streams.review(concerns, async (principal) => {
      const now = await this.present(principal).catch(() => undefined);
      return now !== undefined && rightsOf(now) === rightsOf(principal);
    });
  }

  private present(principal: Principal): Promise<Principal | undefined> {
    return principal.kind === 'machine' ? this.machines.present(principal) : this.principalOf(principal);
  }
}

const rightsOf = (principal: Principal): string =>
  JSON.stringify([principal.roles, principal.kind === 'machine' ? principal.scopes : principal.factorDue]);

/** What an instance of another version says, or nobody can read, concerns everybody. */
function readRevocation(message: string): Revocation {
  try {
    const revocation = JSON.parse(message) as Revocation | null;
    return revocation ?? 'everyone';
  } catch {
    return 'everyone';
  }
}
