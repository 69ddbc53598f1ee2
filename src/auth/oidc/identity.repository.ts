import { randomUUIDv7 } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Person } from '../../common/access/principal.js';
import { Clock } from '../../common/clock.js';
import { Database } from '../../database/index.js';
import { resetDueHash } from '../password/credential.repository.js';
import type { Claims } from './claims.js';

const view = { id: true, provider: true, email: true, lastUsedAt: true, createdAt: true } as const;

type Subject = Pick<Claims, 'issuer' | 'subject'>;

/** One text for the two: neither can borrow a letter from the other. */
const identifierOf = ({ issuer, subject }: Subject): string => JSON.stringify([issuer, subject]);

@Injectable()
export class IdentityRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  listOf({ userId }: Pick<Person, 'userId'>) {
    return this.database.client.federatedIdentity.findMany({ where: { userId }, orderBy: { id: 'asc' }, select: view });
  }

  countOf(userId: string): Promise<number> {
    return this.database.client.federatedIdentity.count({ where: { userId } });
  }

  /** The identity is issuer and subject, and nothing else (ASVS v5.0.0-6.8.1, 10.5.2). */
  findBySubject(subject: Subject) {
    return this.find({ identifier: identifierOf(subject) });
  }

  findById(id: string) {
    return this.find({ id });
  }

  /** Opening the identifier fails, loudly, for one that somebody wrote past the service, or moved to another person. */
  private find(where: { readonly id: string } | { readonly identifier: string }) {
    return this.database.client.federatedIdentity.findFirst({
      where,
      select: { id: true, userId: true, provider: true, identifier: true },
    });
  }

  async add(userId: string, provider: string, { email, ...subject }: Subject & Pick<Claims, 'email'>): Promise<string> {
    const { id } = await this.database.client.federatedIdentity.create({
      data: { id: randomUUIDv7(), userId, provider, identifier: identifierOf(subject), email: email ?? null },
      select: { id: true },
    });
    return id;
  }

  /** False when it is not there any more. To be called in the transaction of the session. */
  async use(id: string): Promise<boolean> {
    const { count } = await this.database.client.federatedIdentity.updateMany({
      where: { id },
      data: { lastUsedAt: this.clock.now() },
    });
    return count === 1;
  }

  /** Whoever had the account may have linked an identity: it waits for the owner of the mailbox, as passkeys do. */
  async isResetDue(userId: string): Promise<boolean> {
    const { passwordCredential } = this.database.client;
    const password = await passwordCredential.findUnique({
      where: { userId },
      select: { resetDueAt: true, hash: true },
    });
    return password !== null && (password.resetDueAt !== null || password.hash === resetDueHash);
  }

  /** The provider of what was taken away; undefined when it is not the caller's. */
  async remove({ userId }: Pick<Person, 'userId'>, id: string): Promise<string | undefined> {
    const { federatedIdentity } = this.database.client;
    const found = await federatedIdentity.findFirst({ where: { id, userId }, select: { provider: true } });
    if (found === null) return undefined;
    await federatedIdentity.deleteMany({ where: { id, userId } });
    return found.provider;
  }
}
