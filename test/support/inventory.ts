import type { Type } from '@nestjs/common';
import { AppModule, type Foundations } from '../../src/app.module.js';
import { inventoryOf, type InventoryRow } from '../../src/inventory/inventory.js';
import { declaredBy } from '../../src/inventory/modules.js';
import { SamplesModule } from './sample/samples.module.js';

/** Every route of the service, and those of the sample feature: what the tests of the practices call. */
export const inventoryWithSamples = (...modules: readonly Type[]): InventoryRow[] =>
  inventoryOf(
    declaredBy(
      AppModule.with({ config: { apiDocs: true }, modules: [SamplesModule, ...modules] } as unknown as Foundations),
    ),
  );
