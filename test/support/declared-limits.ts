import '../../src/app.module.js';
import { limits, type Limit } from '../../src/common/http/rate-limit.js';

/** The limit of that name, whoever declared it. */
export function limitOf(name: string): Limit {
  const found = limits().find((one) => one.name === name);
  if (found === undefined) throw new Error(`nobody declares the limit ${name}`);
  return found;
}
