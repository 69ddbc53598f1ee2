import { Injectable } from '@nestjs/common';
import { placeOf } from '../../common/network.js';
import { requestContext } from '../../common/request-context.js';
import { deviceLabel } from './device-label.js';
import { PersonLock } from './person-lock.js';
import { SecondFactors, type DueFactor } from './second-factors.js';
import { SessionTokens } from './session-tokens.js';
import type { NewSession } from './session.repository.js';
import { Sessions } from './sessions.js';
import type { TokensView } from './tokens.view.js';

export interface SignIn {
  readonly userId: string;
  /** RFC 8176 values of what the user has proved, for example `pwd` and `otp`. */
  readonly methods: readonly string[];
  /** The refresh token goes into a cookie that scripts cannot read. What follows a session in a browser is in the browser too. */
  readonly inBrowser?: boolean;
  /** Runs first in the transaction that makes the session: for what has to hold, or to be used up, with it. A throw undoes all of it. */
  readonly together?: () => Promise<void>;
}

/** A session whose tokens have not been written yet. */
export interface Begun {
  readonly session: Awaited<ReturnType<Sessions['create']>>;
  readonly due: readonly DueFactor[];
}

/** Where every method of authentication ends up. */
@Injectable()
export class SignIns {
  constructor(
    private readonly factors: SecondFactors,
    private readonly lock: PersonLock,
    private readonly sessions: Sessions,
    private readonly tokens: SessionTokens,
  ) {}

  /**
   * Begins a session, and ends the one that the caller came with. While a second factor is due after these methods, the session opens the
   * routes of that factor and nothing else. Signing in again is also how a caller answers the challenge of `@StepUp()`.
   */
  async begin(signIn: SignIn): Promise<TokensView> {
    return this.issue(await this.open(signIn));
  }

  /** The part of `begin` that can be undone: for whoever has more to do in the same transaction. */
  open({ userId, methods, inBrowser: asked = false, together }: SignIn): Promise<Begun> {
    const present = requestContext()?.principal;
    const inBrowser = asked || present?.inBrowser === true;
    return this.lock.hold(userId, async (standing) => {
      await together?.();
      // Asked under the lock: a factor that is enrolled at this very moment is due already, or its enrolment ends this session.
      const due = await this.factors.dueAfter(standing, methods);
      await this.endReplaced(present?.sessionId, inBrowser ? this.tokens.replacedSession() : undefined);
      const session = await this.sessions.create({ userId, methods, inBrowser, ...whereabouts(), factorDue: due.length > 0, enrolmentDue: due.includes('enrolment') });
      return { session, due };
    });
  }

  /** The tokens of a session that was opened. To be called after the commit. */
  issue({ session, due }: Begun): Promise<TokensView> {
    return this.tokens.issue(session, due);
  }

  private async endReplaced(...sessionIds: readonly (string | undefined)[]): Promise<void> {
    for (const id of new Set(sessionIds)) if (id !== undefined) await this.sessions.end(id, 'new-login');
  }
}

/** What people will recognise the session by. */
function whereabouts(): Pick<NewSession, 'device' | 'place'> {
  const { userAgent, address } = requestContext() ?? {};
  return { device: deviceLabel(userAgent), place: address === undefined ? null : placeOf(address) };
}
