import { Injectable } from '@nestjs/common';
import type { Principal } from './principal.js';
import type { Streamed } from './view-stream.js';

/** A section as a whole, where it is small; where it is not, its pieces: see `inPieces()` of cursors.ts. */
type Reader = (principal: Principal) => Promise<Streamed> | AsyncIterable<readonly unknown[]>;

/** What the service knows of a person. Each feature adds its part, so that an export cannot forget one. */
@Injectable()
export class PersonalData {
  private readonly readers = new Map<string, Reader>();

  /**
   * To be called before the boot ends: then the sections are compared with the view of the export.
   * @param section the name of the part in the export, for example `resources`.
   * @throws Error when two features add the same section: one of them would be missing.
   */
  add(section: string, read: Reader): void {
    if (this.readers.has(section)) throw new Error(`the section ${section} of the personal-data export is added twice: give one another name`);
    this.readers.set(section, read);
  }

  get sections(): readonly string[] {
    return [...this.readers.keys()];
  }

  /** Everything, section by section: each is read when the one before has left. */
  async *read(principal: Principal): AsyncGenerator<readonly [string, Streamed], void> {
    for (const [section, read] of this.readers) yield [section, await read(principal)];
  }
}
