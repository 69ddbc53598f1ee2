import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Permission } from '../../common/access/permissions.js';
import type { Person } from '../../common/access/principal.js';
import { SecurityEvents, type SecurityAction } from '../../common/events/security-events.js';
import { Cursors, type PageQuery } from '../../common/http/cursors.js';
import { Problem } from '../../common/http/problem.js';
import { Database } from '../../database/index.js';
import { AccountLock } from '../../users/index.js';
import type { Client, ClientChanges } from './client.js';
import { ClientRepository } from './client.repository.js';
import { clientPermissions } from './clients.access.js';
import type { ClientKeys, CreateClient } from './clients.dto.js';
import { clientCreated, clientDeleted, clientDisabled, clientEnabled, clientKeysReplaced } from './clients.events.js';
import type { ClientView } from './clients.view.js';
import { toJwkSet } from './public-keys.js';

/** An administrator by the API; `operator` is whoever runs a command on the machine, behind its own access control. */
export type Caller = Person | 'operator';

type Row = Client & { readonly isWhole: boolean; readonly createdAt: Date };

/** Registers clients, and takes their access away: for administrators, and for operators on the machine. */
@Injectable()
export class ClientsService {
  constructor(
    private readonly clients: ClientRepository,
    private readonly accounts: AccountLock,
    private readonly cursors: Cursors,
    private readonly database: Database,
    private readonly events: SecurityEvents,
  ) {}

  async list(principal: Person, page: PageQuery) {
    const { items, ...cursors } = await this.cursors.page(principal, ['clients'], page, (keyset) =>
      this.clients.list(keyset),
    );
    return { items: items.map(viewOf), ...cursors };
  }

  /** @throws Problem not-found */
  async find(_: Person, id: string): Promise<ClientView> {
    return viewOf(await this.get(id));
  }

  /** @throws Problem validation-failed for a key that is none, or an owner that nobody is. */
  create(caller: Caller, { ownerId, ...wanted }: CreateClient): Promise<ClientView> {
    const client: Client = {
      id: randomUUIDv7(),
      ownerId,
      name: wanted.name,
      ...proofOf(wanted),
      scopes: wanted.scopes,
      tier: wanted.tier ?? 'standard',
      requiresDpop: wanted.requiresDpop ?? false,
      status: 'active',
      version: 1,
    };
    if (client.scopes.length === 0) throw invalid('/scopes', 'name one scope at least');
    return this.database.transaction(async () => {
      const owner = await this.lock(caller, ownerId);
      if (owner?.status !== 'active') throw invalid('/ownerId', 'no active account has this id');
      const row = await this.clients.create(client);
      await this.record(clientCreated, client, { scopes: client.scopes });
      return viewOf(row);
    });
  }

  /** Acts on the next request, on every instance. The tokens of before do not come back. @throws Problem not-found */
  changeStatus(caller: Caller, id: string, status: Client['status']): Promise<ClientView> {
    return this.change(caller, id, { status }, status === 'active' ? clientEnabled : clientDisabled);
  }

  /**
   * Tokens that were got by the old keys do not count from now on.
   * @throws Problem not-found, or conflict for a client that has a certificate in place of keys.
   */
  replaceKeys(caller: Caller, id: string, keys: ClientKeys): Promise<ClientView> {
    return this.change(caller, id, { keys: keySetOf(keys) }, clientKeysReplaced);
  }

  /** @throws Problem not-found */
  delete(caller: Caller, id: string): Promise<void> {
    return this.database.transaction(async () => {
      const client = await this.get(id);
      await this.lock(caller, client.ownerId);
      if (!(await this.clients.delete(id))) throw new Problem('not-found');
      await this.record(clientDeleted, client);
    });
  }

  private change(caller: Caller, id: string, changes: ClientChanges, action: SecurityAction): Promise<ClientView> {
    return this.database.transaction(async () => {
      const before = await this.get(id);
      await this.lock(caller, before.ownerId);
      // To seal it anew would make good what somebody wrote past the service.
      if (!before.isWhole) throw new Problem('conflict', 'The client was changed past the service: delete it.');
      if (changes.keys !== undefined && before.certificate !== null)
        throw new Problem('conflict', 'The client proves who it is by its certificate, and has no keys.');
      if (!(await this.clients.change(before, changes))) throw new Problem('conflict', 'Somebody else has changed it.');
      await this.record(action, before);
      return viewOf({ ...before, ...changes });
    });
  }

  private async get(id: string): Promise<Row> {
    const client = await this.clients.find(id);
    if (client === undefined) throw new Problem('not-found');
    return client;
  }

  /** The owner, and that the caller may still do this. */
  private lock(caller: Caller, ownerId: string) {
    const permission: Permission = clientPermissions.manage;
    const acting = caller === 'operator' ? undefined : { principal: caller, permission };
    return this.accounts.lockWithAdministrators({ id: ownerId, keepsAdministrator: true, acting });
  }

  private record(action: SecurityAction, { id, ownerId }: Client, details: { scopes?: readonly string[] } = {}) {
    const target = { type: 'user', id: ownerId };
    return this.events.recordInTransaction({ action, outcome: 'success', target, details: { client: id, ...details } });
  }
}

const keySetOf = ({ key, nextKey }: ClientKeys): string => toJwkSet(nextKey === undefined ? [key] : [key, nextKey]);

type Proof = Pick<CreateClient, 'key' | 'nextKey' | 'certificate'>;

/** One of the two: whoever has stolen the weaker of two proofs would need no other. */
function proofOf({ key, nextKey, certificate }: Proof): Pick<Client, 'keys' | 'certificate'> {
  if (certificate === undefined) {
    if (key === undefined) throw invalid('/key', 'set a key, or the name in its certificates');
    return { keys: keySetOf({ key, ...(nextKey && { nextKey }) }), certificate: null };
  }
  if (key !== undefined || nextKey !== undefined) throw invalid('/certificate', 'set a key or a certificate');
  return { keys: toJwkSet([]), certificate };
}

const invalid = (pointer: string, message: string): Problem =>
  new Problem('validation-failed', undefined, { errors: [{ pointer, code: 'not-a-choice', message }] });

const viewOf = ({ keys, ...row }: Row): ClientView => ({
  ...row,
  scopes: [...row.scopes],
  kids: (JSON.parse(keys) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid),
});
