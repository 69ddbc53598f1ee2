import { open, type FileHandle } from 'node:fs/promises';
import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../common/clock.js';
import { idPattern } from '../common/http/fields.js';
import { CONFIG, ConfigurationError, type Config } from '../config/index.js';
import { Database } from '../database/index.js';

/** Ids per query and per write. */
const atOnce = 10_000;

/**
 * Who was erased, kept twice: in the database, and in a file apart from it. A backup brings erased people back, and the
 * database's own tombstones of that time do not know of it; the file does. So the boot compares the two.
 */
@Injectable()
export class Tombstones {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /**
   * Asked before the service listens. Also makes the file, and writes into it what a crash has kept from it.
   * @throws ConfigurationError when the file is lost or cannot be written; Error after a restore, until the erasures
   * were repeated.
   */
  async assertNoErasedUsersRestored(): Promise<void> {
    const { risen, unwritten } = await this.compare();
    if (risen.length > 0) {
      throw new Error(
        `the database was restored from before ${risen.length} erasures: ` +
          'repeat them with npm run cli -- db:after-restore',
      );
    }
    await this.append(unwritten).catch((error: NodeJS.ErrnoException) => {
      throw new ConfigurationError([
        `TOMBSTONE_FILE: the file cannot be written (${error.code}); mend it, or set another one`,
      ]);
    });
  }

  /** Ids in the file that the database does not know as erased. */
  async risen(): Promise<string[]> {
    return (await this.compare()).risen;
  }

  /** Part of the transaction that erases. */
  async record(subject: string): Promise<void> {
    await this.database.client.tombstone.createMany({
      data: [{ subject, erasedAt: this.clock.now() }],
      skipDuplicates: true,
    });
  }

  /** After the commit. What does not get there is written at the next boot. */
  async append(subjects: readonly string[]): Promise<void> {
    // O_APPEND: several instances write to one file, each at its end.
    const handle = await open(this.config.tombstoneFile, 'a', 0o600);
    try {
      for (let at = 0; at < subjects.length; at += atOnce) {
        // Begins a line of its own: what a crash left half-written must not swallow the next id.
        await handle.appendFile(`\n${subjects.slice(at, at + atOnce).join('\n')}\n`);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /** Holds the ids of the database in memory; the file, which may repeat itself, is read line by line. */
  private async compare(): Promise<{ risen: string[]; unwritten: string[] }> {
    const unwritten = await this.inDatabase();
    const doubtful = new Set<string>();
    for await (const subject of this.inFile()) if (!unwritten.delete(subject)) doubtful.add(subject);
    // Written twice, or by another instance a moment ago: the database has the last word on each.
    return { risen: await this.unknown([...doubtful]), unwritten: [...unwritten] };
  }

  private async inDatabase(): Promise<Set<string>> {
    const subjects = new Set<string>();
    for (let last: string | undefined; ;) {
      const where = last === undefined ? {} : { subject: { gt: last } };
      const page = await this.database.client.tombstone.findMany({
        where,
        orderBy: { subject: 'asc' },
        take: atOnce,
        select: { subject: true },
      });
      for (const { subject } of page) subjects.add(subject);
      last = page.at(-1)?.subject;
      if (page.length < atOnce) return subjects;
    }
  }

  private async unknown(subjects: readonly string[]): Promise<string[]> {
    const unknown = new Set(subjects);
    for (let at = 0; at < subjects.length; at += atOnce) {
      const where = { subject: { in: subjects.slice(at, at + atOnce) } };
      for (const { subject } of await this.database.client.tombstone.findMany({ where, select: { subject: true } }))
        unknown.delete(subject);
    }
    return [...unknown];
  }

  private async *inFile(): AsyncGenerator<string> {
    const handle = await this.openFile();
    for await (const line of handle?.readLines() ?? []) if (idPattern.test(line)) yield line;
  }

  private async openFile(): Promise<FileHandle | undefined> {
    try {
      return await open(this.config.tombstoneFile);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await this.assertFileNotLost();
      return undefined;
    }
  }

  /** Without its file, an instance cannot tell a restored database from another: everybody erased would be back. */
  private async assertFileNotLost(): Promise<void> {
    if (!this.config.production || (await this.database.client.user.findFirst({ select: { id: true } })) === null)
      return;
    throw new ConfigurationError([
      'TOMBSTONE_FILE: the file is missing, and the database has users: set the file of the other instances, ' +
        'or bring it back. If it is lost for good and the database was not restored, make an empty one; ' +
        'the next start fills it',
    ]);
  }
}
