// Threat: whoever steals database and key ring together reads everybody.
// Does: the transit engine of Vault or OpenBao wraps and unwraps the data keys; the key that wraps never leaves it.
// Does not: help against a stolen token of the service until it is withdrawn.
// Remove: npm run remove vault-transit; data keys that it wrapped open no more, so move them first (keys:rotate pii).
// Also: packages/field-encryption/src/key-wrappers/vault-transit.ts,
// packages/field-encryption/test/key-wrappers/vault-transit.test.ts.
import { VaultTransitWrapper, type VaultTransitSettings } from '@nestjs-secure-template/field-encryption/vault-transit';
import { declareSettings, faultsAmong, path, type Config } from '../../../config/index.js';
import type { Egress } from '../../../egress/index.js';
import { keyServiceEgress, keyServiceOrigin, type ConfiguredWrapper } from './key-service.js';

const settings = declareSettings(
  {
    VAULT_ADDR: {
      group: 'Data protection (practice 7)',
      description: 'The origin of Vault 1.13 or newer, or OpenBao: https, or http for an agent on this machine.',
      example: 'https://vault.example.org:8200',
      parse: keyServiceOrigin,
    },
    VAULT_TRANSIT_MOUNT: {
      group: 'Data protection (practice 7)',
      description: 'Where the transit engine is mounted; with a namespace before it where there is one.',
      example: 'transit',
      fallback: 'transit',
      parse: vaultPath,
    },
    VAULT_TRANSIT_KEY: {
      group: 'Data protection (practice 7)',
      description: 'The name of a transit key of the type aes256-gcm96, not derived.',
      example: 'data-keys',
      parse: vaultPath,
    },
    VAULT_TOKEN_FILE: {
      group: 'Data protection (practice 7)',
      description:
        'The file with the token, read again when Vault refuses the token. Vault Agent keeps such a file fresh.',
      example: '/run/secrets/vault-token',
      isSecretFile: true,
      parse: path,
    },
    VAULT_CA_FILE: {
      group: 'Data protection (practice 7)',
      description: 'PEM file of the CA that signs the certificate of Vault. Not set: the public CAs.',
      example: '/etc/tls/vault-ca.crt',
      parse: path,
    },
  },
  (values, config) => {
    const parts = [values.VAULT_ADDR, values.VAULT_TRANSIT_KEY, values.VAULT_TOKEN_FILE, values.VAULT_CA_FILE];
    return faultsAmong([
      [
        settingsOf(config) === undefined && parts.some(Boolean),
        'VAULT_ADDR, VAULT_TRANSIT_KEY and VAULT_TOKEN_FILE go together: set all of them or none',
      ],
    ]);
  },
);

function settingsOf(config: Config): VaultTransitSettings | undefined {
  const values = config.of(settings);
  const { VAULT_ADDR: address, VAULT_TRANSIT_KEY: key, VAULT_TOKEN_FILE: tokenFile } = values;
  const more = { mount: values.VAULT_TRANSIT_MOUNT, caFile: values.VAULT_CA_FILE };
  return address && key && tokenFile ? { ...more, address, key, tokenFile } : undefined;
}

/** Data keys wrapped by the transit engine of HashiCorp Vault, or OpenBao. */
export const vaultTransit: ConfiguredWrapper = {
  name: 'vault-transit',
  demands: 'VAULT_ADDR, VAULT_TRANSIT_KEY and VAULT_TOKEN_FILE',
  open(config) {
    const found = settingsOf(config);
    return found === undefined ? undefined : async (egress) => VaultTransitWrapper.open(throughEgress(found, egress));
  },
};

function throughEgress(found: VaultTransitSettings, egress: Egress): VaultTransitSettings {
  const { address, caFile } = found;
  const ca = caFile === undefined ? {} : { caFile: { path: caFile, variable: 'VAULT_CA_FILE' } };
  const client = egress.for({ ...keyServiceEgress, ...ca, origins: [address], variable: 'VAULT_ADDR' });
  return {
    ...found,
    send: async (url, { body, ...request }) => {
      const answer = await client.post(url, body, request);
      return { status: answer.status, text: answer.body.toString('utf8') };
    },
  };
}

/** Words that need no escaping in a URL and never walk up. */
function vaultPath(text: string): string {
  if (/^\w[\w-]{0,99}(\/\w[\w-]{0,99}){0,4}$/.test(text)) return text;
  throw new Error('set letters, digits, hyphens and underscores');
}
