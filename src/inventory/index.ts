// Remove: not by itself; the tests that try every route read here which there are, and every new route shows in its
// printed table.
import { AppModule, type Foundations } from '../app.module.js';
import { inventoryOf, type InventoryRow } from './inventory.js';
import { declaredBy } from './modules.js';

// With every optional part, for a route that can be switched on is a route. Modules only hand on what they are made
// with.
const everything = { config: { apiDocs: true } } as Foundations;

/** Every route of the service. @throws Error that names every handler which declares too little. */
export const inventory = (): InventoryRow[] => inventoryOf(declaredBy(AppModule.with(everything)));
