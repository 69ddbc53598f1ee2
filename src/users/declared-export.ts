import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { PersonalData } from '../common/personal-data.js';
import { fieldNamesOf } from '../common/view.js';
import { ExportFrame, ExportView } from './export.view.js';

/**
 * Refuses the boot while a feature adds a section that the view of the export does not declare: the view would drop it without
 * a word, and people would not get all that the service knows of them (GDPR article 15).
 */
@Injectable()
export class DeclaredExport implements OnApplicationBootstrap {
  constructor(private readonly personalData: PersonalData) {}

  /** @throws Error that names every undeclared section. */
  onApplicationBootstrap(): void {
    // A section of the frame's name would take the place of the account.
    const frame = fieldNamesOf(ExportFrame);
    const declared = new Set(fieldNamesOf(ExportView).filter((name) => !frame.includes(name)));
    const faults = this.personalData.sections
      .filter((section) => !declared.has(section))
      .map((section) => `${section}: declare it in src/users/export.view.ts, field by field, or add it under another name`);
    if (faults.length > 0) throw new Error(`sections of the personal-data export that ExportView does not declare:\n  - ${faults.join('\n  - ')}`);
  }
}
