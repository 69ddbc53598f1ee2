import { Injectable } from '@nestjs/common';
import { stepUpMaxAgeSeconds } from '../../common/access/access.decorators.js';
import { Clock } from '../../common/clock.js';
import { SecurityEvents } from '../../common/events/security-events.js';
import { Problem } from '../../common/http/problem.js';
import { declareSecondFactor } from '../factors/second-factors.js';
import type { TokensView } from '../sessions/sessions.dto.js';
import { SessionsService } from '../sessions/sessions.service.js';
import type { Claims } from './claims.js';
import type { IdentityProvider } from './identity-provider.js';
import { IdentitiesService, methodOf } from './identities.service.js';
import { IdentityProviders } from './identity-providers.js';
import { IdentityRepository } from './identity.repository.js';
import { linkIsRequired, signInRefused } from './oidc-problems.js';
import { Transactions, type ProvedIdentity, type Transaction } from './transactions.js';

/** Proved at the provider, where its word counts. Nobody can enrol it here. */
const providerFactor = declareSecondFactor({
  name: 'provider',
  label: 'the second factor of another service',
  method: 'mfa',
});

/** The way to a provider and back, and the session that comes of it. */
@Injectable()
export class OidcService {
  constructor(
    private readonly providers: IdentityProviders,
    private readonly transactions: Transactions,
    private readonly repository: IdentityRepository,
    private readonly identities: IdentitiesService,
    private readonly sessions: SessionsService,
    private readonly events: SecurityEvents,
    private readonly clock: Clock,
  ) {}

  /** @returns the page of the provider. */
  async start(name: string, transaction: Omit<Transaction, 'provider'>): Promise<string> {
    const provider = this.providers.find(name);
    const expectations = await this.transactions.begin({ ...transaction, provider: name });
    return provider.authorizationUrl(expectations, transaction.isFresh);
  }

  /**
   * Reads what the provider says, in the browser that began. A sign-in is then proved, and waits for the page to begin
   * the session: no session begins because somebody was led to an address (ASVS v5.0.0-7.6.2).
   * @returns where the browser goes: a path of this host.
   */
  async finish(name: string, search: string): Promise<string> {
    const provider = this.providers.find(name);
    const taken = await this.transactions.take();
    if (taken === undefined || taken.transaction.provider !== name) throw this.refuse(name, 'transaction');
    const { transaction, expectations } = taken;
    const claims = await provider.redeem(search, expectations).catch((error: unknown) => {
      throw error instanceof Problem && error.type === 'unavailable' ? error : this.refuse(name, 'answer', error);
    });
    if (transaction.linkTo !== undefined) await this.identities.link(name, transaction.linkTo, claims);
    else await this.transactions.proved.write(await this.prove(provider, claims));
    return transaction.returnTo;
  }

  /** @throws Problem provider-sign-in-refused; unauthenticated for an account that is locked, or has to be reset. */
  async signIn(inBrowser: boolean | undefined): Promise<TokensView> {
    const proved = (await this.transactions.proved.take())?.content;
    const identity = proved && (await this.repository.findById(proved.identityId));
    if (proved === undefined || identity == null) throw this.refuse(undefined, 'not-proved');
    const { userId, provider } = identity;
    const inTransaction = async () => {
      if (await this.repository.isResetDue(userId)) throw this.refuse(provider, 'reset-due', undefined, userId);
      if (!(await this.repository.use(identity.id))) throw this.refuse(provider, 'unlinked', undefined, userId);
    };
    const authenticatedAt = new Date(proved.authenticatedAt);
    const { methods } = proved;
    return this.sessions.signIn({ userId, methods, authenticatedAt, inTransaction, ...(inBrowser && { inBrowser }) });
  }

  /** Ends the sessions that the provider vouched for, of the person it names. Nothing happens for anybody else. */
  async signOut(name: string, logoutToken: string): Promise<void> {
    const provider = this.providers.find(name);
    const { subject, issuedAt } = await provider.readLogoutToken(logoutToken).catch((error: unknown) => {
      throw error instanceof Problem && error.type === 'unavailable' ? error : this.refuse(name, 'logout-token', error);
    });
    const identity = await this.repository.findBySubject({ issuer: provider.settings.ISSUER ?? '', subject });
    if (identity !== null) await this.identities.endSessions(identity, issuedAt);
  }

  /** Who it is here. @throws Problem link-required for somebody whom no account is linked to. */
  private async prove(provider: IdentityProvider, claims: Claims): Promise<ProvedIdentity> {
    const known = await this.repository.findBySubject(claims);
    const identityId = known?.id ?? (await this.signUp(provider, claims));
    const hasSecond = provider.hasSeenSecondFactor(claims);
    return {
      identityId,
      methods: [methodOf(provider.name), ...(hasSecond ? [providerFactor.method] : [])],
      authenticatedAt: this.timeOf(claims).getTime(),
    };
  }

  /** A provider that does not tell when, has not shown that it was just now: no proof for `@StepUp()`. */
  private timeOf({ authenticatedAt }: Claims): Date {
    const now = this.clock.now();
    if (authenticatedAt === undefined) return new Date(now.getTime() - (stepUpMaxAgeSeconds + 1) * 1000);
    return authenticatedAt > now ? now : authenticatedAt;
  }

  private async signUp({ name, settings }: IdentityProvider, claims: Claims): Promise<string> {
    const isOpen = settings.SIGN_UP === 'verified-email';
    const identityId = isOpen ? await this.identities.signUp(name, claims) : undefined;
    if (identityId !== undefined) return identityId;
    const details = { method: name, reason: 'not-linked' };
    this.events.reportLater({ action: 'authn_login_fail', outcome: 'denied', details });
    throw linkIsRequired();
  }

  private refuse(provider: string | undefined, reason: string, cause?: unknown, userId?: string): Problem {
    const target = userId === undefined ? undefined : { type: 'user', id: userId };
    const details = { method: provider ?? 'oidc', reason };
    this.events.reportLater({ action: 'authn_login_fail', outcome: 'denied', target, details });
    return cause instanceof Problem ? cause : signInRefused(cause);
  }
}
