import type { KeySource } from '../field-encryption/key-source.js';
import { LocalKeyWrapper, type KeyWrapper } from '../field-encryption/key-wrapper.js';
import { AwsKmsWrapper, type AwsKmsSettings } from './aws-kms.wrapper.js';
import { VaultTransitWrapper, type VaultTransitSettings } from './vault-transit.wrapper.js';

export interface KeyWrapperSettings {
  /** The name of the one that wraps new data keys. */
  readonly keyWrapper: 'local' | 'aws-kms' | 'vault-transit';
  readonly awsKms: AwsKmsSettings | undefined;
  readonly vaultTransit: VaultTransitSettings | undefined;
}

/**
 * Everybody who can unwrap, the chosen one first: it wraps new data keys. Keys that were wrapped before the choice changed
 * still open, as long as their wrapper stays configured; the key ring always is.
 * @throws Error with the fix
 */
export async function openKeyWrappers(settings: KeyWrapperSettings, keys: KeySource): Promise<readonly KeyWrapper[]> {
  const { keyWrapper, awsKms, vaultTransit } = settings;
  const wrappers: KeyWrapper[] = [new LocalKeyWrapper(keys)];
  if (awsKms !== undefined) wrappers.push(await AwsKmsWrapper.open(awsKms));
  if (vaultTransit !== undefined) wrappers.push(await VaultTransitWrapper.open(vaultTransit));
  const chosen = wrappers.find(({ name }) => name === keyWrapper);
  // Never another one instead: data keys that should be in a key service would lie beside the database.
  if (chosen === undefined) throw new Error(`KEY_WRAPPER is ${keyWrapper}, which is not configured`);
  return [chosen, ...wrappers.filter((wrapper) => wrapper !== chosen)];
}
