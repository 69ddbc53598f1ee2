import { randomUUIDv7 } from 'node:crypto';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { FieldEncryptionError } from '@nestjs-secure-template/field-encryption';
import { notExported } from '../../common/events/personal-data.js';
import { Database, isChanged } from '../../database/index.js';
import { PasswordHasher } from '../../security/data-protection/index.js';

/** As the schema names whose key seals the stand-in. */
const rowsPerRead = 100;
const standIn = { subject: 'stand-in', id: '00000000-0000-7000-8000-000000000000' } as const;

/** Stands in the place of a hash, sealed like one, while a reset is due. */
export const resetDueHash = 'reset-due';

/** A password that was proved, and since when it is the password. */
export interface ProvenPassword {
  readonly userId: string;
  readonly updatedAt: Date;
}

notExported('PasswordCredential', 'nothing but a secret, and that a reset is due, which is among the events');

/**
 * The argon2id hash is an encrypted field, sealed to its user: the copy of a known hash in another row does not open.
 */
@Injectable()
export class CredentialRepository implements OnApplicationBootstrap {
  constructor(
    private readonly database: Database,
    private readonly hasher: PasswordHasher,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.createStandIn();
    await this.noteParameters();
  }

  /** At the very first start; of several instances at once, one does. */
  private async createStandIn(): Promise<void> {
    const { standInCredential } = this.database.client;
    if ((await standInCredential.findUnique({ where: { id: standIn.id }, select: { id: true } })) !== null) return;
    await standInCredential.createMany({
      data: [{ id: standIn.id, hash: 'opened for whoever is not there' }],
      skipDuplicates: true,
    });
  }

  /**
   * Of hashes that are older than the column. Before the service listens: until then a sign-in could not do the work of
   * all of them.
   */
  private async noteParameters(): Promise<void> {
    const { client } = this.database;
    for (let last: string | undefined; ;) {
      const where = { parameters: null, userId: { gt: last } };
      const rows = await client.passwordCredential.findMany({
        where,
        orderBy: { userId: 'asc' },
        take: rowsPerRead,
        select: { userId: true },
      });
      for (const { userId } of rows) await this.noteParametersOf(userId);
      last = rows.at(-1)?.userId;
      if (rows.length < rowsPerRead) return;
    }
  }

  /**
   * By SQL: the password stays the same, and so does the time of its last change. A hash that does not open signs
   * nobody in.
   */
  private async noteParametersOf(userId: string): Promise<void> {
    const { client } = this.database;
    try {
      const credential = await this.find(userId);
      if (credential === null || credential.hash === resetDueHash) return;
      const parameters = this.hasher.parametersOf(credential.hash);
      await client.$executeRaw`
        UPDATE password_credentials SET parameters = ${parameters}
        WHERE user_id = ${userId}::uuid AND parameters IS NULL`;
    } catch (error) {
      if (!(error instanceof FieldEncryptionError)) throw error;
    }
  }

  /**
   * Each set of parameters that a stored hash was made with. One step of the index for each, however many rows there
   * are.
   */
  async parametersInUse(): Promise<string[]> {
    const rows = await this.database.client.$queryRaw<{ parameters: string }[]>`
      WITH RECURSIVE sets (parameters) AS (
        SELECT min(parameters) FROM password_credentials
        UNION ALL
        SELECT (SELECT min(parameters) FROM password_credentials WHERE parameters > sets.parameters)
        FROM sets WHERE sets.parameters IS NOT NULL
      ) SELECT parameters FROM sets WHERE parameters IS NOT NULL`;
    return rows.map(({ parameters }) => parameters);
  }

  /**
   * Does the same for a known and an unknown address (ASVS v5.0.0-6.3.8): three reads, and one data key that is always
   * fetched and unwrapped anew. Else whoever asks twice would tell them apart: by the cached key, or by a key service
   * that is away.
   */
  async findByEmail(email: string) {
    const { client } = this.database;
    const user = await client.user.findFirst({ where: { email }, select: { id: true, status: true } });
    this.database.forgetDataKeys(user?.id ?? standIn.subject);
    const credential = user === null ? await this.openStandIn() : await this.find(user.id);
    // The address is read to be compared with its index: an index moved to another row by SQL finds nobody.
    const address = await client.user.findUnique({
      where: { id: user?.id ?? randomUUIDv7() },
      select: { email: true },
    });
    return user && credential && address ? { userId: user.id, status: user.status, ...credential } : undefined;
  }

  find(userId: string) {
    return this.database.client.passwordCredential.findUnique({
      where: { userId },
      select: { hash: true, resetDueAt: true, updatedAt: true },
    });
  }

  private async openStandIn(): Promise<undefined> {
    await this.database.client.standInCredential.findUnique({ where: { id: standIn.id }, select: { hash: true } });
  }

  /** What a new password must not be made of. */
  findOwner(userId: string) {
    return this.database.client.user.findUnique({ where: { id: userId }, select: { email: true, name: true } });
  }

  async create(userId: string, hash: string): Promise<void> {
    await this.database.client.passwordCredential.create({
      data: { userId, hash, parameters: this.hasher.parametersOf(hash) },
    });
  }

  /** Sets a new password. */
  async replace(userId: string, hash: string): Promise<void> {
    const data = { hash, parameters: this.hasher.parametersOf(hash), resetDueAt: null };
    // Whoever came by another way has none yet: the owner of the mailbox may set one.
    await this.database.client.passwordCredential.upsert({
      where: { userId },
      update: data,
      create: { userId, ...data },
      select: { userId: true },
    });
  }

  /**
   * Only the hash that was read: one that was changed meanwhile must not be overwritten by the old password's. It stays
   * the same password, so the time stays too: sign-ins that proved it at this very moment would else be refused.
   */
  async upgrade({ userId, updatedAt }: ProvenPassword, hash: string): Promise<void> {
    const { passwordCredential } = this.database.client;
    const data = { hash, parameters: this.hasher.parametersOf(hash), updatedAt };
    await isChanged(passwordCredential.update({ where: { userId, updatedAt }, data, select: { userId: true } }));
  }

  /**
   * Whether it still is the password. The row stays locked until the transaction ends, so that a change waits for it.
   */
  async stillHolds({ userId, updatedAt }: ProvenPassword): Promise<boolean> {
    const rows = await this.database.client.$queryRaw<unknown[]>`
      SELECT 1 FROM password_credentials
      WHERE user_id = ${userId}::uuid AND updated_at = ${updatedAt} AND reset_due_at IS NULL FOR UPDATE`;
    return rows.length === 1;
  }
}
