import { randomUUIDv7 } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { isPermitted, permissions, type Permission, type Role } from '../../common/access/permissions.js';
import type { MachineTier, Person } from '../../common/access/principal.js';
import { Clock } from '../../common/clock.js';
import { SecurityEvents } from '../../common/events/security-events.js';
import { Problem, unauthenticated } from '../../common/http/problem.js';
import { Macs } from '../../common/macs.js';
import { CONFIG, type Config } from '../../config/index.js';
import { Database } from '../../database/index.js';
import { AccountLock } from '../../users/index.js';
import { SessionRepository } from '../sessions/session.repository.js';
import { secretMacOf, type KeyAuthority } from './api-key-seals.js';
import { ApiKeyRepository, type Whose } from './api-key.repository.js';
import type { CreateApiKey, CreateServiceKey, SucceedApiKey } from './api-keys.dto.js';
import { apiKeyCreated, apiKeyRevoked, apiKeyTierChanged } from './api-keys.events.js';
import { apiKeySettings, keyFormatOf } from './api-keys.settings.js';
import type { ReadKey } from './key-format.js';

const [hourMs, dayMs] = [60 * 60 * 1000, 24 * 60 * 60 * 1000];

/** Of one owner, those included that ended within the last 30 days. */
export const maxKeys = 100;

/** Which keys a route is about, and what has to be held for it. */
export interface Realm {
  readonly whose: Whose;
  readonly permission: Permission;
}

type NewKey = CreateApiKey & Partial<Pick<CreateServiceKey, 'service' | 'tier'>>;
type Content = Omit<KeyAuthority, 'id' | 'userId' | 'secretMac'> & { readonly name: string };
type Reason = 'owner' | 'administrator' | 'operator' | 'exposed';

/** Makes keys, follows them with others, and ends them, each with its event in the same transaction. */
@Injectable()
export class ApiKeysService {
  private readonly format;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly repository: ApiKeyRepository,
    private readonly lock: AccountLock,
    private readonly sessions: SessionRepository,
    private readonly database: Database,
    private readonly events: SecurityEvents,
    private readonly macs: Macs,
    private readonly clock: Clock,
  ) {
    this.format = keyFormatOf(config);
  }

  async list({ whose }: Pick<Realm, 'whose'>) {
    return { items: await this.repository.list(whose) };
  }

  /** Everything that acts for the account. */
  listOf(userId: string) {
    return this.list({ whose: { userId } });
  }

  /** @throws Problem validation-failed; conflict when there are too many. */
  create(caller: Person, { permission }: Realm, asked: NewKey) {
    const { name, scopes, addressRanges = [], service = null, tier = 'standard', expiresInDays } = asked;
    const expiresAt = this.expiry(expiresInDays);
    return this.holdAs(caller, permission, (roles) => {
      assertHeld(scopes, roles);
      return this.add(caller, { name, scopes, addressRanges, service, tier, expiresAt });
    });
  }

  /**
   * A key like the other one, which counts for a while longer. Of a service's key, whoever asks answers from now on.
   * @throws Problem not-found; conflict for one that has a successor; validation-failed.
   */
  succeed(caller: Person, { whose, permission }: Realm, id: string, { expiresInDays, overlapHours }: SucceedApiKey) {
    const [expiresAt, now] = [this.expiry(expiresInDays), this.clock.now()];
    return this.holdAs(caller, permission, async (roles) => {
      const old = await this.repository.find(whose, id);
      // A row that was changed past the service must not get the seal of the service by this.
      if (old === undefined || old.expiresAt <= now || !this.repository.isWhole(old)) throw new Problem('not-found');
      const { name, scopes, addressRanges, service, tier } = old;
      assertHeld(scopes, roles);
      const made = await this.add(caller, { name, scopes, addressRanges, service, tier, expiresAt });
      const end = new Date(Math.min(old.expiresAt.getTime(), now.getTime() + overlapHours * hourMs));
      if (!(await this.repository.replace(old, made.id, end)))
        throw new Problem('conflict', 'The key has a successor already.');
      return made;
    });
  }

  /** @throws Problem not-found, the same for a key of somebody else, one that is revoked and one that never was. */
  async revoke(caller: Person, { whose }: Realm, id: string): Promise<void> {
    const owner = await this.end(whose, id, (userId) => (userId === caller.userId ? 'owner' : 'administrator'));
    if (owner === undefined) throw new Problem('not-found');
  }

  /** For operators, behind the access control of the machine. @returns false when there was nothing to revoke. */
  async revokeByOperator(id: string): Promise<boolean> {
    return (await this.end({}, id, () => 'operator')) !== undefined;
  }

  /** For operators. @returns false when there is no such key that is whole, or somebody else changed it just now. */
  changeTierByOperator(id: string, tier: MachineTier): Promise<boolean> {
    return this.database.transaction(async () => {
      const key = await this.repository.find({}, id);
      if (key === undefined || !this.repository.isWhole(key)) return false;
      if (!(await this.repository.changeTier(key, tier))) return false;
      const details = { key: id, from: key.tier, to: tier };
      const target = { type: 'user', id: key.userId };
      await this.events.recordInTransaction({ action: apiKeyTierChanged, outcome: 'success', target, details });
      return true;
    });
  }

  /** Only genuine ones: otherwise anybody could revoke keys of others by making texts up. */
  async revokeExposed(keys: readonly ReadKey[]): Promise<void> {
    for (const key of keys) if (await this.repository.isGenuine(key)) await this.end({}, key.id, () => 'exposed');
  }

  /** The id in a text that somebody found; undefined when it is none of our keys. */
  idIn(text: string): string | undefined {
    return this.format.read(text)?.id;
  }

  private end(whose: Whose, id: string, reasonOf: (userId: string) => Reason): Promise<string | undefined> {
    return this.database.transaction(async () => {
      const key = await this.repository.revoke(whose, id);
      if (key === undefined) return undefined;
      const { userId, createdAt } = key;
      const reason = reasonOf(userId);
      const details = { key: id, made: createdAt.toISOString(), reason };
      const target = { type: 'user', id: userId };
      await this.events.recordInTransaction({ action: apiKeyRevoked, outcome: 'success', target, details });
      if (reason === 'exposed')
        await this.events.recordInTransaction({
          action: 'authn_credential_in_clear',
          outcome: 'denied',
          actorId: userId,
          target: { type: 'api-key', id },
        });
      return userId;
    });
  }

  /** In the transaction of the owner's lock, so that nobody makes more than there may be by many requests at once. */
  private async add({ userId }: Person, content: Content) {
    if ((await this.repository.countOf(userId)) >= maxKeys)
      throw new Problem('conflict', `There are ${maxKeys} keys. Those that ended count for 30 days.`);
    const id = randomUUIDv7();
    const { key, secret } = this.format.create(id);
    const made = await this.repository.create({
      ...content,
      id,
      userId,
      secretMac: secretMacOf(this.macs, { id, secret }),
    });
    const details = { key: id, until: made.expiresAt.toISOString(), scopes: made.scopes };
    const target = { type: 'user', id: userId };
    await this.events.recordInTransaction({ action: apiKeyCreated, outcome: 'success', target, details });
    return { ...made, key };
  }

  /** What the guards saw before the wait for the lock does not count (ASVS v5.0.0-8.3.2). */
  private holdAs<T>(
    { userId, sessionId }: Person,
    permission: Permission,
    work: (roles: readonly Role[]) => Promise<T>,
  ): Promise<T> {
    return this.lock.hold(userId, async ({ roles }) => {
      const isIn = await this.sessions.isOpen(sessionId);
      if (isIn && isPermitted(roles, permission)) return work(roles);
      const details = { permission: permission.name, reason: isIn ? 'right-lost' : 'session-ended' };
      this.events.reportLater({ action: 'authz_fail', outcome: 'denied', actorId: userId, details });
      throw isIn ? new Problem('forbidden') : unauthenticated();
    });
  }

  private expiry(days: number): Date {
    const { API_KEY_MAX_DAYS: max } = this.config.of(apiKeySettings);
    if (days > max) throw invalid('/expiresInDays', 'out-of-range', `expiresInDays must not be greater than ${max}`);
    return new Date(this.clock.now().getTime() + days * dayMs);
  }
}

/** A key for a right that comes later would have it without anybody's notice. */
function assertHeld(scopes: readonly string[], roles: readonly Role[]): void {
  const isHeld = (scope: string) => permissions().some((one) => one.name === scope && isPermitted(roles, one));
  if (!scopes.every(isHeld)) throw invalid('/scopes', 'not-a-choice', 'scopes must name permissions that you hold');
}

const invalid = (pointer: string, code: string, message: string): Problem =>
  new Problem('validation-failed', undefined, { errors: [{ pointer, code, message }] });
