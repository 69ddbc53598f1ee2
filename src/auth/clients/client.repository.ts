import { hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { AuthoritySeals, type AccountStatus, type Sealed } from '../../common/access/authority-seals.js';
import type { Role } from '../../common/access/permissions.js';
import { Revocations } from '../../common/access/revocations.js';
import { Clock } from '../../common/clock.js';
import { notExported } from '../../common/events/personal-data.js';
import { SecurityEvents } from '../../common/events/security-events.js';
import type { Keyset } from '../../common/http/cursors.js';
import { Macs } from '../../common/macs.js';
import { Database } from '../../database/index.js';
import type { Client, ClientChanges } from './client.js';

notExported('MachineClient', 'made by administrators, about a program; that it acts for the person is mailed to them');

type StoredClient = Client & { readonly authorityMac: string | null };

/** A client that may do something now, and what its owner may. */
export interface ClientState {
  readonly client: Client;
  readonly roles: readonly Role[];
  /** Digests of those of its tokens that were revoked. */
  readonly revoked: ReadonlySet<string>;
}

interface StateRow extends StoredClient {
  readonly owner: Sealed<AccountStatus>;
  readonly revoked: readonly string[];
}

const fields = {
  id: true, ownerId: true, name: true, keys: true, certificate: true, scopes: true, tier: true, requiresDpop: true,
  status: true, version: true, authorityMac: true, createdAt: true,
} as const; // prettier-ignore

const purpose = 'authority';
const betweenPrunesMs = 60_000;

/** Clients, each row sealed as sessions are (docs/decisions/0010-seals-on-authority.md), and what they have spent. */
@Injectable()
export class ClientRepository {
  private prunedAt = Number.NEGATIVE_INFINITY;

  @Inject(SecurityEvents) private readonly events: SecurityEvents;

  constructor(
    private readonly database: Database,
    private readonly macs: Macs,
    private readonly seals: AuthoritySeals,
    private readonly clock: Clock,
    private readonly revocations: Revocations,
  ) {}

  async create(client: Client) {
    const data = {
      ...client,
      scopes: [...client.scopes],
      createdAt: this.clock.now(),
      authorityMac: this.seal(client),
    };
    return this.withState(await this.database.client.machineClient.create({ data, select: fields }));
  }

  async find(id: string) {
    const row = await this.database.client.machineClient.findUnique({ where: { id }, select: fields });
    return row === null ? undefined : this.withState(row);
  }

  async list({ id, order, take }: Keyset) {
    const { machineClient } = this.database.client;
    const rows = await machineClient.findMany({ where: { id }, orderBy: { id: order }, take, select: fields });
    return rows.map((row) => this.withState(row));
  }

  /**
   * Its tokens of before do not count any more. To be called in a transaction.
   * @returns false when another change was faster.
   */
  async change(client: Client, changes: ClientChanges): Promise<boolean> {
    const { id, version } = client;
    const changed = { ...pick(client), ...changes, version: version + 1 };
    const data = { ...changes, version: changed.version, authorityMac: this.seal(changed) };
    await this.announce(id);
    return (await this.database.client.machineClient.updateMany({ where: { id, version }, data })).count === 1;
  }

  async delete(id: string): Promise<boolean> {
    await this.announce(id);
    return (await this.database.client.machineClient.deleteMany({ where: { id } })).count === 1;
  }

  /**
   * In one statement: what an authenticated request may cost. Undefined for a client that may do nothing: unknown,
   * disabled, changed past the service, or of an owner who is one of these.
   */
  async findState(id: string): Promise<ClientState | undefined> {
    const [row] = await this.database.client.$queryRaw<StateRow[]>`
      SELECT c.id::text, c.owner_id::text AS "ownerId", c.name, c.keys, c.certificate, c.scopes, c.tier,
             c.requires_dpop AS "requiresDpop", c.status, c.version, c.authority_mac AS "authorityMac",
             json_build_object('id', u.id, 'roles', u.roles, 'status', u.status, 'secondFactors', u.second_factors,
                               'authorityMac', u.authority_mac) AS owner,
             ARRAY(SELECT digest FROM spent_ids s
                   WHERE s.client_id = c.id AND s.is_revoked AND s.expires_at > ${this.clock.now()}) AS revoked
      FROM clients c JOIN users u ON u.id = c.owner_id
      WHERE c.id = ${id}::uuid`;
    if (row === undefined || row.status !== 'active' || !this.isWhole(row)) return undefined;
    const owner = this.seals.trusted(row.owner);
    if (owner.status !== 'active') return undefined;
    return { client: pick(row), roles: owner.roles, revoked: new Set(row.revoked) };
  }

  /**
   * Once: of many requests with the same one, on whichever instance, one gets true. In the database, because memory
   * forgets with a restart, and Redis need not be there.
   */
  async spend(clientId: string, jti: string, expiresAt: Date): Promise<boolean> {
    await this.prune();
    return (await this.insert({ kind: 'used', clientId, jti }, expiresAt)) === 1;
  }

  /** The access token with that `jti` counts no more, on every instance, when this returns. */
  async revoke(clientId: string, jti: string, expiresAt: Date): Promise<void> {
    await this.insert({ kind: 'revoked', clientId, jti }, expiresAt);
    await this.announce(clientId);
  }

  private insert(spent: Spent, expiresAt: Date): Promise<number> {
    return this.database.client.$executeRaw`
      INSERT INTO spent_ids (digest, client_id, is_revoked, expires_at)
      VALUES (${digestOf(spent)}, ${spent.clientId}::uuid, ${spent.kind === 'revoked'}, ${expiresAt})
      ON CONFLICT (digest) DO NOTHING`;
  }

  private async prune(): Promise<void> {
    const now = this.clock.now();
    if (now.getTime() - this.prunedAt < betweenPrunesMs) return;
    this.prunedAt = now.getTime();
    await this.database.client.spentId.deleteMany({ where: { expiresAt: { lte: now } } });
  }

  /** Once the running transaction has committed. */
  private announce(machineId: string): Promise<void> {
    return this.database.afterCommit(() => this.revocations.announce({ machineId }));
  }

  /** Constraints of the table hold tier and status to their words, which Prisma does not know. */
  private withState(row: { readonly createdAt: Date; readonly keys: string }) {
    const client = row as StoredClient & { readonly createdAt: Date };
    return { ...client, isWhole: this.isWhole(client) };
  }

  private seal(client: Client): string {
    const { keyId, mac } = this.macs.sign(purpose, partsOf(client));
    return `${keyId}.${mac.toString('base64url')}`;
  }

  private isWhole(client: StoredClient): boolean {
    const seal = client.authorityMac ?? '';
    const dot = seal.lastIndexOf('.');
    const mac = Buffer.from(seal.slice(dot + 1), 'base64url');
    if (this.macs.verify(purpose, seal.slice(0, dot), partsOf(client), mac)) return true;
    this.events.reportLater({
      action: 'crypt_decrypt_fail',
      outcome: 'failure',
      target: { type: 'MachineClient', id: client.id },
      details: { field: 'authorityMac', code: 'broken-seal' },
    });
    return false;
  }
}

interface Spent {
  readonly kind: 'used' | 'revoked';
  readonly clientId: string;
  readonly jti: string;
}

/** A `jti` is as long as its client likes, and one of another client is another one. */
const digestOf = ({ kind, clientId, jti }: Spent): string => hash('sha256', `${kind} ${clientId} ${jti}`, 'base64url');

/** By which `ClientState.revoked` knows a token. */
export const revokedDigest = (clientId: string, jti: string): string => digestOf({ kind: 'revoked', clientId, jti });

/** The id is part of it: the seal of one row is none in another. */
const partsOf = (client: Client): string[] => [
  'clients',
  client.id,
  client.ownerId,
  client.name,
  client.keys,
  JSON.stringify(client.scopes),
  client.tier,
  JSON.stringify([client.requiresDpop, client.status, client.version]),
  JSON.stringify(client.certificate),
];

const pick = (client: Client): Client => {
  const { id, ownerId, name, keys, certificate, scopes, tier, requiresDpop, status, version } = client;
  return { id, ownerId, name, keys, certificate, scopes, tier, requiresDpop, status, version };
};
