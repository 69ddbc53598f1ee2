import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Person } from '../../common/access/principal.js';
import { SecurityEvents } from '../../common/events/security-events.js';
import { Problem } from '../../common/http/problem.js';
import { Database, isUniqueViolation } from '../../database/index.js';
import { AccountLock, UsersService } from '../../users/index.js';
import { FactorsService } from '../factors/factors.service.js';
import { SecondFactors } from '../factors/second-factors.js';
import { SessionsService } from '../sessions/sessions.service.js';
import type { Claims } from './claims.js';
import { IdentityRepository } from './identity.repository.js';
import { identityLinked, identityUnlinked } from './oidc.events.js';
import type { Transaction } from './transactions.js';

type Linking = NonNullable<Transaction['linkTo']>;

/** What a session that a provider vouched for is known by. */
export const methodOf = (provider: string): string => `fed:${provider}`;

/** The clock of a provider may be behind by so much; a session that began later lives on. */
const logoutSkewMs = 30_000;

/** The identities that people have at providers: linked, taken away, and what goes with that. */
@Injectable()
export class IdentitiesService {
  constructor(
    private readonly repository: IdentityRepository,
    private readonly ways: SecondFactors,
    private readonly sessions: SessionsService,
    private readonly factors: FactorsService,
    private readonly users: UsersService,
    private readonly lock: AccountLock,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {}

  async list(principal: Person) {
    return { items: await this.repository.listOf(principal) };
  }

  /** @throws Problem conflict for the last way to sign in; not-found for what is not the caller's. */
  async unlink(principal: Person, id: string): Promise<void> {
    const { userId } = principal;
    const provider = (await this.repository.listOf(principal)).find((identity) => identity.id === id)?.provider;
    if (provider === undefined) throw new Problem('not-found');
    await this.factors.change(principal, { action: identityUnlinked, details: { provider } }, async () => {
      if ((await this.repository.remove(principal, id)) === undefined) throw new Problem('not-found');
      const isLeft = (await this.repository.countOf(userId)) > 0 || (await this.ways.hasWayBeside('oidc', userId));
      if (!isLeft) throw new Problem('conflict', 'It is the last way to sign in: set a password or a passkey first.');
    });
  }

  /** @throws Problem unauthenticated when the session that began it has ended; conflict. */
  async link(provider: string, linkTo: Linking, claims: Claims): Promise<void> {
    const event = { action: identityLinked, actorId: linkTo.userId, details: { provider } };
    await this.factors
      .change(linkTo, event, async () => void (await this.repository.add(linkTo.userId, provider, claims)))
      .catch((error: unknown) => {
        if (!isUniqueViolation(error)) throw error;
        throw new Problem(
          'conflict',
          'The identity is linked to an account already, or you have one of that provider.',
        );
      });
  }

  /**
   * An account for somebody new. Never for an address that somebody has: who proved a mailbox elsewhere has not proved
   * that the account is theirs.
   * @returns the identity; undefined without a verified address that nobody has.
   */
  async signUp(provider: string, claims: Claims): Promise<string | undefined> {
    const { email, isVerified } = claims;
    if (!isVerified || email === undefined || (await this.users.idOf(email)) !== undefined) return undefined;
    const id = randomUUIDv7();
    const target = { type: 'user', id };
    const name = claims.name ?? email.slice(0, email.indexOf('@')).slice(0, 100);
    return this.database
      .transaction(async () => {
        await this.users.create({ id, email, name });
        const details = { provider };
        await this.events.recordInTransaction({
          action: 'user_created',
          outcome: 'success',
          actorId: id,
          target,
          details,
        });
        return this.repository.add(id, provider, claims);
      })
      .catch((error: unknown) => {
        // Somebody took the address at this very moment.
        if (isUniqueViolation(error)) return undefined;
        throw error;
      });
  }

  /** Those that began until then: a logout token that is sent again ends nothing new. */
  async endSessions({ userId, provider }: { userId: string; provider: string }, issuedAt: Date): Promise<void> {
    const until = new Date(issuedAt.getTime() + logoutSkewMs);
    await this.lock.hold(userId, () =>
      this.sessions.endBegunBy(userId, methodOf(provider), until, 'ended-by-provider'),
    );
  }
}
