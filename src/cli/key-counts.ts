import type { Purpose } from '../common/macs.js';
import type { Database } from '../database/index.js';

type Count = (client: Database['client'], keyId: string) => Promise<number>;

const counts = new Map<Purpose, Count>();

/** A part says how much needs a key: keys:retire keeps it until nothing does. */
export const declareKeyCount = (purpose: Purpose, count: Count): void => void counts.set(purpose, count);

/** 0 where no part makes anything with it. */
export const countOfKey = async (purpose: Purpose, client: Database['client'], keyId: string): Promise<number> =>
  (await counts.get(purpose)?.(client, keyId)) ?? 0;
