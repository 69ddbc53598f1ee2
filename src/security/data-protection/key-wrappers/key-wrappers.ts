import { LocalKeyWrapper, type KeySource, type KeyWrapper } from '@nestjs-secure-template/field-encryption';
import { declareSettings, oneOf, type Config } from '../../../config/index.js';
import { Egress } from '../../../egress/index.js';
import { awsKms } from './aws-kms.js';
import type { ConfiguredWrapper } from './key-service.js';
import { vaultTransit } from './vault-transit.js';

/** Beside the key ring, which is always there. `npm run remove` takes one away. */
const services: readonly ConfiguredWrapper[] = [
  awsKms,
  vaultTransit,
  // Yours below.
];

const settings = declareSettings(
  {
    KEY_WRAPPER: {
      group: 'Data protection (practice 7)',
      description:
        `Who wraps new data keys: the key ring (local)${services.map(({ name }) => `, ${name}`).join('')}. ` +
        'Older ones open as long as their wrapper stays configured.',
      example: 'local',
      fallback: 'local',
      parse: oneOf('local', ...services.map(({ name }) => name)),
    },
  },
  ({ KEY_WRAPPER }, config) =>
    services
      .filter(({ name, open }) => name === KEY_WRAPPER && open(config) === undefined)
      .map(({ name, demands }) => `KEY_WRAPPER is ${name}: set ${demands}`),
);

/**
 * Everybody who can unwrap, the chosen one first: it wraps new data keys. Keys that were wrapped before the choice
 * changed still open, as long as their wrapper stays configured; the key ring always is.
 * @throws Error with the fix
 */
export async function openKeyWrappers(
  config: Config,
  keys: KeySource,
  // Before Nest: the database cannot be read without them.
  egress = new Egress(config),
): Promise<readonly KeyWrapper[]> {
  const { KEY_WRAPPER } = config.of(settings);
  const wrappers: KeyWrapper[] = [new LocalKeyWrapper(keys)];
  for (const { open } of services) {
    const opened = open(config);
    if (opened !== undefined) wrappers.push(await opened(egress));
  }
  const chosen = wrappers.find(({ name }) => name === KEY_WRAPPER);
  // Never another one instead: data keys that should be in a key service would lie beside the database.
  if (chosen === undefined) throw new Error(`KEY_WRAPPER is ${KEY_WRAPPER}, which is not configured`);
  return [chosen, ...wrappers.filter((wrapper) => wrapper !== chosen)];
}
