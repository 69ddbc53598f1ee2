import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { OpenStreams } from '../../common/open-streams.js';
import type { Principal } from '../../common/principal.js';
import { SessionStates } from './session-states.js';

/** Sessions also expire, and a message of a revocation can be lost. */
const reviewEveryMs = 30_000;

/**
 * Ends open streams with the session that opened them, and when its rights change: they were checked once, at the beginning (ASVS
 * v5.0.0-7.4.1, 8.3.2). At once on every instance; a database that does not answer ends them too.
 */
@Injectable()
export class StreamSessions implements OnApplicationShutdown {
  private readonly timer = setInterval(() => void this.review(() => true), reviewEveryMs).unref();

  constructor(
    private readonly streams: OpenStreams,
    private readonly states: SessionStates,
  ) {
    states.onRevocation((concerns) => void this.review(concerns));
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private review(concerns: (principal: Principal) => boolean): Promise<void> {
    return this.streams.review(concerns, async (principal) => {
      const now = await this.states.principalOf(principal).catch(() => undefined);
      return now !== undefined && now.factorDue === principal.factorDue && String(now.roles) === String(principal.roles);
    });
  }
}
