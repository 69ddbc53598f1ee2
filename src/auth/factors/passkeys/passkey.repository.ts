import { Injectable } from '@nestjs/common';
import { Clock } from '../../../common/clock.js';
import type { Person } from '../../../common/access/principal.js';
import { Database } from '../../../database/index.js';
import { resetDueHash } from '../../password/credential.repository.js';
import type { VerifiedCredential, VerifiedUse } from './relying-party.js';

/** Bounds what a session can fill the table with, and the list that goes along with each registration. */
const maxPasskeys = 20;

const view = { id: true, name: true, backedUp: true, lastUsedAt: true, createdAt: true } as const;

@Injectable()
export class PasskeyRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  listOf(userId: string) {
    return this.database.client.passkey.findMany({ where: { userId }, orderBy: { id: 'asc' }, select: view });
  }

  /** What a browser has to know to make no second passkey on the same authenticator. */
  credentialsOf(userId: string) {
    return this.database.client.passkey.findMany({
      where: { userId },
      orderBy: { id: 'asc' },
      select: { credentialId: true, transports: true },
    });
  }

  async existsFor(userId: string): Promise<boolean> {
    return (await this.database.client.passkey.findFirst({ where: { userId }, select: { id: true } })) !== null;
  }

  /** To be asked while nobody else changes the factors of this person. */
  async isFull({ userId }: Person): Promise<boolean> {
    return (await this.database.client.passkey.count({ where: { userId } })) >= maxPasskeys;
  }

  add({ userId }: Person, name: string, { transports, ...credential }: VerifiedCredential) {
    return this.database.client.passkey.create({
      data: { userId, name, ...credential, transports: [...transports] },
      select: view,
    });
  }

  /**
   * Opening `publicKey` fails, loudly, for a key that somebody wrote past the service, or moved to another row or user.
   */
  findByCredentialId(credentialId: string) {
    return this.database.client.passkey.findUnique({
      where: { credentialId },
      select: { id: true, userId: true, publicKey: true, user: { select: { status: true } } },
    });
  }

  /**
   * Whether it may sign in at this moment. To be asked in the transaction of the session, which holds changes of the
   * owner off.
   */
  async stateOf(id: string) {
    const found = await this.database.client.passkey.findUnique({
      where: { id },
      select: { lastUsedAt: true, user: { select: { password: { select: { resetDueAt: true, hash: true } } } } },
    });
    const password = found?.user.password;
    return (
      found && {
        isUnused: found.lastUsedAt === null,
        isResetDue: password != null && (password.resetDueAt !== null || password.hash === resetDueHash),
      }
    );
  }

  /**
   * Takes the use, if the counter has moved on since the last one; authenticators without a counter always send 0. One
   * statement: of two copies of a key that sign with the same count at once, one gets in (WebAuthn Level 3 s6.1.1).
   */
  async use(id: string, { counter, backedUp }: VerifiedUse): Promise<boolean> {
    const { count } = await this.database.client.passkey.updateMany({
      where: { id, counter: counter === 0 ? 0 : { lt: counter } },
      data: { counter, backedUp, lastUsedAt: this.clock.now() },
    });
    return count === 1;
  }

  /** @throws P2025, a 404, when it is not the caller's. */
  rename({ userId }: Person, id: string, name: string) {
    return this.database.client.passkey.update({ where: { id, userId }, data: { name }, select: view });
  }

  /** False when it is not the caller's. */
  async remove({ userId }: Person, id: string): Promise<boolean> {
    const { count } = await this.database.client.passkey.deleteMany({ where: { id, userId } });
    return count === 1;
  }
}
