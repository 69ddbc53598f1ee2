import { Inject, Injectable } from '@nestjs/common';
import { AuthoritySeals, type AccountStatus, type Sealed } from '../../common/access/authority-seals.js';
import { isPermitted } from '../../common/access/permissions.js';
import { machineTiers, type Machine, type MachineTier } from '../../common/access/principal.js';
import { Revocations } from '../../common/access/revocations.js';
import { SecurityEvents } from '../../common/events/security-events.js';
import { createAddressCheck } from '../../common/http/client-address.js';
import { Macs } from '../../common/macs.js';
import { Clock } from '../../common/clock.js';
import { Database } from '../../database/index.js';
import type { Prisma } from '../../generated/prisma/client.js';
import { isSecretOf, isWhole, sealOf, type KeyAuthority, type SealedKey } from './api-key-seals.js';
import { quotaOf } from './api-key.quotas.js';
import { serviceKeyPermissions } from './api-keys.access.js';
import type { ReadKey } from './key-format.js';

const dayMs = 24 * 60 * 60 * 1000;
/** Ended keys stay in the list for so long. */
const keptMs = 30 * dayMs;
/** Its owner is told so long before a key runs out; of a short-lived one, in the second half of its life. */
const warningMs = 7 * dayMs;
const sweptAtOnce = 100;

const authority = {
  id: true, userId: true, service: true, scopes: true, addressRanges: true, tier: true, secretMac: true,
  expiresAt: true, authorityMac: true,
} as const; // prettier-ignore

const shown = {
  id: true, userId: true, name: true, service: true, scopes: true, addressRanges: true, tier: true, createdAt: true,
  expiresAt: true, lastUsedAt: true, revokedAt: true, successorId: true,
} as const; // prettier-ignore

/** Whose keys: a person's own, those of services, or every key, for operators and for keys that were exposed. */
export type Whose = Pick<Prisma.ApiKeyWhereInput, 'userId' | 'service'>;

/** What a key opens at this moment. */
export interface KeyState {
  readonly principal: Machine;
  readonly secretMac: string;
  readonly expiresAt: Date;
  readonly isAllowedFrom: (address: string) => boolean;
}

interface StateRow extends SealedKey {
  readonly account: Sealed<AccountStatus>;
}

@Injectable()
export class ApiKeyRepository {
  @Inject(Revocations) private readonly revocations: Revocations;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly macs: Macs,
    private readonly seals: AuthoritySeals,
    private readonly events: SecurityEvents,
  ) {}

  /** By primary key, in one statement; undefined for a key that opens nothing, and for a row that was tampered with. */
  async findState(id: string): Promise<KeyState | undefined> {
    const [row] = await this.database.client.$queryRaw<StateRow[]>`
      SELECT k.id::text, k.user_id::text AS "userId", k.service, k.scopes, k.address_ranges AS "addressRanges", k.tier,
             k.secret_mac AS "secretMac", k.expires_at AS "expiresAt", k.authority_mac AS "authorityMac",
             json_build_object('id', u.id, 'roles', u.roles, 'status', u.status, 'secondFactors', u.second_factors,
                               'authorityMac', u.authority_mac) AS account
      FROM api_keys k JOIN users u ON u.id = k.user_id
      WHERE k.id = ${id}::uuid AND k.revoked_at IS NULL AND u.status = 'active'`;
    if (row === undefined || !this.isWhole(row) || !this.seals.isWholeAccount(row.account)) return undefined;
    const { userId, scopes, addressRanges, secretMac, expiresAt } = row;
    const { roles } = row.account;
    // Whoever may not make keys for services any more does not answer for those that they made.
    if (row.service !== null && !isPermitted(roles, serviceKeyPermissions.manage)) return undefined;
    const tier = machineTiers.find((one) => one === row.tier) ?? 'standard';
    const limits = quotaOf(row.service, tier);
    const principal = {
      kind: 'machine',
      method: 'api-key',
      userId,
      machineId: id,
      scopes,
      tier,
      roles,
      limits,
    } as const;
    const isAllowedFrom = addressRanges.length === 0 ? () => true : createAddressCheck(addressRanges);
    return { principal: Object.freeze(principal), secretMac, expiresAt, isAllowedFrom };
  }

  /** False, and reported, for a row that somebody planted, or changed past the service. */
  isWhole(key: SealedKey): boolean {
    if (isWhole(this.macs, key)) return true;
    const details = { field: 'authorityMac', code: 'broken-seal' };
    const target = { type: 'ApiKey', id: key.id };
    this.events.reportLater({ action: 'crypt_decrypt_fail', outcome: 'failure', target, details });
    return false;
  }

  create(key: KeyAuthority & { readonly name: string }) {
    const data = {
      ...key,
      scopes: [...key.scopes],
      addressRanges: [...key.addressRanges],
      createdAt: this.clock.now(),
      authorityMac: sealOf(this.macs, key),
    };
    return this.database.client.apiKey.create({ data, select: shown });
  }

  /** Those that can be used, and those that ended lately. */
  countOf(userId: string): Promise<number> {
    return this.database.client.apiKey.count({ where: { userId } });
  }

  list(whose: Whose) {
    return this.database.client.apiKey.findMany({ where: whose, orderBy: { id: 'desc' }, take: 1000, select: shown });
  }

  /** One that is not revoked, with its seal. */
  async find(whose: Whose, id: string) {
    const where = { ...whose, id, revokedAt: null };
    const select = { ...authority, name: true, successorId: true } as const;
    return (await this.database.client.apiKey.findFirst({ where, select })) ?? undefined;
  }

  /**
   * The old key ends earlier, and cannot get a second successor. Compared with the seal that was read.
   * @returns false when somebody was faster.
   */
  async replace(old: SealedKey, successorId: string, expiresAt: Date): Promise<boolean> {
    const { id, authorityMac } = old;
    const { count } = await this.database.client.apiKey.updateMany({
      where: { id, authorityMac, successorId: null, revokedAt: null },
      data: { successorId, expiresAt, authorityMac: sealOf(this.macs, { ...old, expiresAt }) },
    });
    if (count === 1) await this.announce(id);
    return count === 1;
  }

  /** @returns false when somebody was faster. */
  async changeTier(old: SealedKey, tier: MachineTier): Promise<boolean> {
    const { id, authorityMac } = old;
    const { count: changed } = await this.database.client.apiKey.updateMany({
      where: { id, authorityMac, revokedAt: null },
      data: { tier, authorityMac: sealOf(this.macs, { ...old, tier }) },
    });
    if (changed === 1) await this.announce(id);
    return changed === 1;
  }

  /** At once on every instance. @returns the key; undefined when there was none to revoke. */
  async revoke(whose: Whose, id: string) {
    await this.announce(id);
    const [key] = await this.database.client.apiKey.updateManyAndReturn({
      where: { ...whose, id, revokedAt: null },
      // Without its seal, it does not live again by an UPDATE.
      data: { revokedAt: this.clock.now(), authorityMac: null },
      select: { userId: true, createdAt: true },
    });
    return key;
  }

  /** Whether the secret is that of a key that is not revoked: nobody revokes keys of others by texts of that form. */
  async isGenuine({ id, secret }: ReadKey): Promise<boolean> {
    const row = await this.find({}, id);
    return row !== undefined && isSecretOf(this.macs, row, secret);
  }

  /** Forward only, in one statement for all. */
  async writeUses(uses: ReadonlyMap<string, Date>): Promise<void> {
    const [ids, times] = [[...uses.keys()], [...uses.values()]];
    await this.database.client.$executeRaw`
      UPDATE api_keys k SET last_used_at = used.at
      FROM unnest(${ids}::uuid[], ${times}::timestamptz[]) AS used (id, at)
      WHERE k.id = used.id AND (k.last_used_at IS NULL OR k.last_used_at < used.at)`;
  }

  /** Keys of which their owners have to be told, each for one caller alone. To be called in a transaction. */
  async claimWarnings() {
    const now = this.clock.now();
    return this.database.client.$queryRaw<{ id: string; userId: string; createdAt: Date; expiresAt: Date }[]>`
      UPDATE api_keys SET warned_at = ${now} WHERE id IN (
        SELECT id FROM api_keys
        WHERE warned_at IS NULL AND revoked_at IS NULL AND successor_id IS NULL AND expires_at > ${now}
          AND expires_at <= ${new Date(now.getTime() + warningMs)} AND expires_at - ${now} <= ${now} - created_at
        ORDER BY expires_at LIMIT ${sweptAtOnce} FOR UPDATE SKIP LOCKED)
      RETURNING id::text, user_id::text AS "userId", created_at AS "createdAt", expires_at AS "expiresAt"`;
  }

  async deleteEnded(): Promise<void> {
    const before = new Date(this.clock.now().getTime() - keptMs);
    const where = { OR: [{ expiresAt: { lt: before } }, { revokedAt: { lt: before } }] };
    await this.database.client.apiKey.deleteMany({ where, limit: sweptAtOnce });
  }

  private announce(machineId: string): Promise<void> {
    return this.database.afterCommit(() => this.revocations.announce({ machineId }));
  }
}
