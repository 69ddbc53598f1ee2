import { listOf, oneOf, path, type Variable } from './variable.js';

const group = 'Data protection (practice 7)';

/** Which key service wraps the data keys, and how it is reached. */
export const keyWrapperVariables = {
  KEY_WRAPPER: {
    group,
    description: 'Who wraps new data keys: the key ring (local), aws-kms or vault-transit. Older ones open as long as their wrapper stays configured.',
    example: 'local',
    fallback: 'local' as const,
    parse: oneOf('local', 'aws-kms', 'vault-transit'),
  },
  AWS_KMS_KEY_ID: {
    group,
    description: 'ARNs of symmetric KMS keys of one region, separated by commas: the first wraps, all unwrap. Credentials: the standard chain of the AWS SDK.',
    example: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    fallback: [] as readonly string[],
    parse: listOf(keyArn),
  },
  AWS_KMS_ENDPOINT: {
    group,
    description: 'The origin of a VPC endpoint for KMS. Not set: the public endpoint of the region.',
    example: 'https://vpce-0123456789abcdef0.kms.eu-central-1.vpce.amazonaws.com',
    parse: keyServiceOrigin,
  },
  VAULT_ADDR: {
    group,
    description: 'The origin of Vault 1.13 or newer, or OpenBao: https, or http for an agent on this machine.',
    example: 'https://vault.example.org:8200',
    parse: keyServiceOrigin,
  },
  VAULT_TRANSIT_MOUNT: {
    group,
    description: 'Where the transit engine is mounted; with a namespace before it where there is one.',
    example: 'transit',
    fallback: 'transit',
    parse: vaultPath,
  },
  VAULT_TRANSIT_KEY: {
    group,
    description: 'The name of a transit key of the type aes256-gcm96, not derived.',
    example: 'data-keys',
    parse: vaultPath,
  },
  VAULT_TOKEN_FILE: {
    group,
    description: 'The file with the token, read again when Vault refuses the token. Vault Agent keeps such a file fresh.',
    example: '/run/secrets/vault-token',
    parse: path,
  },
  VAULT_CA_FILE: {
    group,
    description: 'PEM file of the CA that signs the certificate of Vault. Not set: the public CAs.',
    example: '/etc/tls/vault-ca.crt',
    parse: path,
  },
} satisfies Record<string, Variable<unknown>>;

/** No alias: whoever may move an alias would choose the key. */
function keyArn(text: string): string {
  if (/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]{1,64}$/.test(text)) return text;
  throw new Error('set the ARN of a key, arn:aws:kms:<region>:<account>:key/<id>, and no alias');
}

/** Data keys in clear are in the answers: they cross a network under TLS only. */
function keyServiceOrigin(text: string): string {
  const { protocol, hostname, origin, href } = URL.canParse(text) ? new URL(text) : new URL('invalid:');
  const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
  const bare = href === `${origin}/` && !/[?#]$/.test(text);
  if (bare && (protocol === 'https:' || (protocol === 'http:' && loopback))) return origin;
  throw new Error('set an https origin without path and credentials; http only for this machine');
}

/** Words that need no escaping in a URL and never walk up. */
function vaultPath(text: string): string {
  if (/^\w[\w-]{0,99}(\/\w[\w-]{0,99}){0,4}$/.test(text)) return text;
  throw new Error('set letters, digits, hyphens and underscores');
}
