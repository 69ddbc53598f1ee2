import { Injectable } from '@nestjs/common';
import type { Principal } from '../access/principal.js';
import { Declarations } from '../declarations.js';
import { ViewField, type ViewFieldOptions } from '../http/view.js';
import type { Streamed } from '../http/view-stream.js';

/** Everything that the service knows of the caller. Features declare its sections, field by field. */
export class ExportView {
  @ViewField({ type: 'string', format: 'date-time' })
  exportedAt: Date;
}

/** A part of the export, named as it stands there: `resources`. */
export interface ExportSection {
  readonly name: string;
  /** The models whose rows are in it. */
  readonly models: readonly string[];
}

const declared = new Declarations<ExportSection>('section of the personal-data export');
declared.add({ name: 'exportedAt', models: [] });

/**
 * The view is what leaves: a column that a feature adds stays inside until the view names it.
 * @throws Error for a section that is there already: one of the two would be missing (GDPR article 15).
 */
export function defineExportSection(
  name: string,
  { models, ...field }: ViewFieldOptions & Pick<ExportSection, 'models'>,
): ExportSection {
  const section = declared.add({ name, models });
  ViewField(field)(ExportView.prototype, name);
  return section;
}

const reasons = new Map<string, string>();

/** A model whose rows are about a person, and in no section. */
export const notExported = (model: string, reason: string): void => void reasons.set(model, reason);

/** For each model that somebody spoke of: its section, or the reason to have none. */
export const exportedModels = (): ReadonlyMap<string, string> =>
  new Map([
    ...reasons,
    ...declared.list().flatMap(({ name, models }) => models.map((model) => [model, name] as const)),
  ]);

/** A section as a whole, where it is small; where it is not, its pieces: see `inPieces()` of cursors.ts. */
type Reader = (principal: Principal) => Promise<Streamed> | AsyncIterable<readonly unknown[]>;

/** Deletes what others wrote with an address, in the running transaction. */
type Forget = (email: string) => Promise<void>;

/** What the service knows of a person. Each feature adds its part, so that no export and no erasure forgets one. */
@Injectable()
export class PersonalData {
  private readonly readers = new Map<string, Reader>();
  private readonly forgetters: Forget[] = [];

  /** @throws Error when a section is read twice, or was never declared. */
  add(section: ExportSection, read: Reader): void {
    const { name } = section;
    if (declared.find(name) !== section)
      throw new Error(
        `the section ${name} of the personal-data export is not declared: defineExportSection() makes it`,
      );
    if (this.readers.has(name)) throw new Error(`the section ${name} of the personal-data export is added twice`);
    this.readers.set(name, read);
  }

  /** For rows that others wrote with a person's address, under ids of their own: with the person, they go too. */
  onErasure(forget: Forget): void {
    this.forgetters.push(forget);
  }

  /** In the transaction that erases whoever has the address. */
  async forgetAddress(email: string): Promise<void> {
    for (const forget of this.forgetters) await forget(email);
  }

  /** Everything, section by section: each is read when the one before has left. */
  async *read(principal: Principal): AsyncGenerator<readonly [string, Streamed], void> {
    for (const [section, read] of this.readers) yield [section, await read(principal)];
  }
}
