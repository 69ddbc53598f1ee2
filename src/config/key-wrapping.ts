import type { keyWrapperVariables } from './key-wrapper.variables.js';

type Definitions = typeof keyWrapperVariables;
type Text = 'AWS_KMS_ENDPOINT' | 'VAULT_ADDR' | 'VAULT_TRANSIT_KEY' | 'VAULT_TOKEN_FILE' | 'VAULT_CA_FILE';
type Values = { readonly [N in keyof Definitions]: N extends Text ? string | undefined : ReturnType<Definitions[N]['parse']> };

/** How the data keys are wrapped. */
export interface KeyWrapping {
  readonly keyWrapper: 'local' | 'aws-kms' | 'vault-transit';
  readonly awsKms: { readonly keyArns: readonly string[]; readonly endpoint: string | undefined } | undefined;
  readonly vaultTransit: VaultTransit | undefined;
}

interface VaultTransit {
  readonly address: string;
  readonly mount: string;
  readonly key: string;
  readonly tokenFile: string;
  readonly caFile: string | undefined;
}

export function keyWrapping(values: Values): KeyWrapping {
  const { AWS_KMS_KEY_ID: keyArns, VAULT_ADDR: address, VAULT_TRANSIT_KEY: key, VAULT_TOKEN_FILE: tokenFile } = values;
  const vault = { mount: values.VAULT_TRANSIT_MOUNT, caFile: values.VAULT_CA_FILE };
  return {
    keyWrapper: values.KEY_WRAPPER,
    awsKms: keyArns.length > 0 ? Object.freeze({ keyArns, endpoint: values.AWS_KMS_ENDPOINT }) : undefined,
    vaultTransit: address && key && tokenFile ? Object.freeze({ ...vault, address, key, tokenFile }) : undefined,
  };
}

/** Faults that only several variables together can have. */
export function keyWrappingFaults(values: Values): string[] {
  const { keyWrapper, awsKms, vaultTransit } = keyWrapping(values);
  const vaultParts = [values.VAULT_ADDR, values.VAULT_TRANSIT_KEY, values.VAULT_TOKEN_FILE, values.VAULT_CA_FILE];
  const regions = new Set(values.AWS_KMS_KEY_ID.map((arn) => arn.split(':')[3]));
  const faults: readonly (readonly [boolean, string])[] = [
    [keyWrapper === 'aws-kms' && !awsKms, 'KEY_WRAPPER is aws-kms: set AWS_KMS_KEY_ID'],
    [keyWrapper === 'vault-transit' && !vaultTransit, 'KEY_WRAPPER is vault-transit: set VAULT_ADDR, VAULT_TRANSIT_KEY and VAULT_TOKEN_FILE'],
    [keyWrapper !== 'vault-transit' && !vaultTransit && vaultParts.some(Boolean), 'VAULT_ADDR, VAULT_TRANSIT_KEY and VAULT_TOKEN_FILE go together: set all of them or none'],
    [!awsKms && values.AWS_KMS_ENDPOINT !== undefined, 'AWS_KMS_ENDPOINT needs AWS_KMS_KEY_ID: set both, or unset it'],
    [regions.size > 1, 'AWS_KMS_KEY_ID: set keys of one region only'],
  ];
  return faults.flatMap(([wrong, fault]) => (wrong ? [fault] : []));
}
