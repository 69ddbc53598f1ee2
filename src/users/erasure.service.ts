import { Injectable, Logger } from '@nestjs/common';
import { FieldEncryptionError } from '@nestjs-secure-template/field-encryption';
import { askOperator, declareNotice } from '../common/events/notice-texts.js';
import { PersonalData } from '../common/events/personal-data.js';
import { SecurityEvents, type SecurityEvent } from '../common/events/security-events.js';
import { Revocations } from '../common/access/revocations.js';
import { Database } from '../database/index.js';
import { SharedState } from '../shared-state/index.js';
import { SubjectRows } from './subject-rows.js';
import { Tombstones } from './tombstones.js';
import { UsersRepository } from './users.repository.js';

const erased = 'subject-erased';

declareNotice(
  'user_deleted',
  askOperator(
    'Your account was erased',
    'Your account and its data were erased. This is the last message to this address.',
  ),
);

/**
 * Erases people, users of the service or not, so that backups are erased with them: the data key of the person is
 * destroyed, and every cell that it sealed, in whatever copy, can never be opened again (crypto-shredding). The rows go
 * too; a tombstone with the bare id stays.
 */
@Injectable()
export class ErasureService {
  private readonly logger = new Logger('Erasure');
  private readonly rows: SubjectRows;

  constructor(
    private readonly users: UsersRepository,
    private readonly tombstones: Tombstones,
    private readonly database: Database,
    private readonly events: SecurityEvents,
    private readonly personalData: PersonalData,
    private readonly revocations: Revocations,
    private readonly state: SharedState,
  ) {
    this.rows = new SubjectRows(database);
    state.subscribe(erased, (userId) => database.forgetDataKeys(userId));
  }

  /**
   * All of it in one transaction; sessions end with the rows, on every instance, before this returns.
   * @param allowed asked inside the transaction; a throw keeps the person.
   * @returns false when nothing was left of anybody with that id.
   */
  async erase(userId: string, allowed: () => Promise<void> = async () => undefined): Promise<boolean> {
    const isErased = await this.database.transaction(async () => {
      await allowed();
      return this.deleteErasedRows(userId);
    });
    if (isErased) await this.tell(userId);
    return isErased;
  }

  /** After a restore: erases again whoever the backup brought back. @returns how many. */
  async repeat(progress: (done: number, total: number) => void): Promise<number> {
    const risen = await this.tombstones.risen();
    for (const [index, userId] of risen.entries()) {
      await this.database.transaction(async () => {
        // Recorded also when the backup brought nothing of them back: or they would count as risen for ever.
        if (!(await this.deleteErasedRows(userId, { again: true }))) await this.tombstones.record(userId);
      });
      await this.announce(userId);
      progress(index + 1, risen.length);
    }
    return risen.length;
  }

  private async deleteErasedRows(id: string, details: { again?: true } = {}): Promise<boolean> {
    const models = await this.rows.lock(id);
    if (models.length === 0) return false;
    // Recorded first: a user is told at the address that goes with the next lines.
    await this.events.recordInTransaction({ ...eventOf(id, models), outcome: 'success', details });
    const email = await this.emailOf(id);
    if (email !== undefined) await this.personalData.forgetAddress(email);
    await this.rows.delete(id);
    await this.tombstones.record(id);
    return true;
  }

  /**
   * Undefined where it does not open: a restore may bring back the cells of a destroyed key. What others wrote to it
   * then lives until it expires.
   */
  private async emailOf(id: string): Promise<string | undefined> {
    try {
      return (await this.users.findEmail(id))?.email;
    } catch (error) {
      if (!(error instanceof FieldEncryptionError)) throw error;
      return undefined;
    }
  }

  /** Makes every instance forget somebody at once: what the person might do, and the data keys that are in memory. */
  private async announce(userId: string): Promise<void> {
    await this.state.publish(erased, userId);
    await this.revocations.announce({ userId });
  }

  /**
   * The person is gone, whatever fails from here on: an error would say that they are not. The next boot mends the
   * file.
   */
  private async tell(userId: string): Promise<void> {
    // The announcement first: until it is out, other instances go on serving the person.
    const steps = { announcement: () => this.announce(userId), tombstone: () => this.tombstones.append([userId]) };
    for (const [step, work] of Object.entries(steps)) {
      await work().catch((error: unknown) => {
        this.logger.error(`the ${step} of an erasure failed`, error);
        this.events.reportLater({
          action: 'sys_error',
          outcome: 'failure',
          target: { type: 'user', id: userId },
          details: { step: `erasure-${step}` },
        });
      });
    }
  }
}

/** Who is no user of the service is told apart: nobody has signed up, or is told by mail. */
function eventOf(id: string, models: readonly string[]): Pick<SecurityEvent, 'action' | 'target'> {
  const other = models.find((model) => !['User', 'OneTimeToken', 'DataKey'].includes(model));
  if (other === undefined) return { action: 'user_deleted', target: { type: 'user', id } };
  return { action: 'sensitive_delete', target: { type: other.charAt(0).toLowerCase() + other.slice(1), id } };
}
