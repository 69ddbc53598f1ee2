import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { idPattern } from '../common/http/fields.js';
import { CONFIG, type Config } from '../config/index.js';
import { MailTransportError, type MailTransport, type WaitingMail } from './mail-transport.js';

const extension = '.eml';

/**
 * Without a mail server: a directory with one file per message. Only the owner of the process can read it (there are
 * one-time tokens in it), and the names are UUIDv7: in the order of time, and nobody can guess one.
 */
@Injectable()
export class Outbox implements MailTransport {
  private readonly directory: string;

  constructor(@Inject(CONFIG) config: Config) {
    this.directory = join(config.dataDirectory, 'outbox');
  }

  async deliver({ id, content }: WaitingMail): Promise<void> {
    try {
      await this.put(id, content);
    } catch (error) {
      throw new MailTransportError((error as NodeJS.ErrnoException).code ?? 'unknown');
    }
  }

  private async put(id: string, content: string): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const path = join(this.directory, id);
    const file = await open(`${path}.part`, 'w', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    // Whoever reads the directory sees whole messages only.
    await rename(`${path}.part`, `${path}${extension}`);
  }

  /** Ids, newest first. */
  async list(limit: number): Promise<string[]> {
    const names = await readdir(this.directory).catch(orNothing);
    const ids = (names ?? [])
      .filter((name) => name.endsWith(extension))
      .map((name) => name.slice(0, -extension.length));
    return ids.toSorted().toReversed().slice(0, limit);
  }

  /** Undefined for an id that is none: a path cannot lead out of the directory. */
  async read(id: string): Promise<string | undefined> {
    return idPattern.test(id)
      ? readFile(join(this.directory, `${id}${extension}`), 'utf8').catch(orNothing)
      : undefined;
  }
}

const orNothing = (error: unknown): undefined => {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
};
