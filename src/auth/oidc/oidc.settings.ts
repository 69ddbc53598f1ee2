import {
  declareSettingsFamily,
  faultsAmong,
  httpsOrigin,
  listOf,
  path,
  whole,
  type ValuesOf,
} from '../../config/index.js';

const group = 'Sign-in with OpenID Connect (practice 2.1)';

export const providerSettings = declareSettingsFamily(
  {
    prefix: 'OIDC',
    example: 'KEYCLOAK',
    variables: {
      ISSUER: {
        group,
        description:
          'The issuer of an OpenID provider, letter for letter as its discovery document says it. In the place of ' +
          'KEYCLOAK stands a name of yours: the provider is then /v1/auth/oidc/<name>/start.',
        example: 'https://sso.example.org/realms/staff',
        parse: issuer,
      },
      CLIENT_ID: { group, description: 'As the provider knows this service.', example: 'my-service', parse: printable },
      CLIENT_SECRET: {
        group,
        description: 'The secret of the client. Better is a private key: nothing of it leaves.',
        example: '',
        parse: printable,
      },
      PRIVATE_KEY_FILE: {
        group,
        description: 'PEM (PKCS #8) of the key of the client: EC P-256, Ed25519 or RSA. Instead of CLIENT_SECRET.',
        example: '/run/secrets/oidc-keycloak.pem',
        isSecretFile: true,
        parse: path,
      },
      PRIVATE_KEY_ID: {
        group,
        description: 'Its `kid`, where the provider asks for one.',
        example: '',
        parse: printable,
      },
      HOSTS: {
        group,
        description: 'Origins that its discovery document names beside that of the issuer. No others are asked.',
        example: 'https://keys.example.org',
        fallback: [] as readonly string[],
        parse: listOf(httpsOrigin),
      },
      LABEL: { group, description: 'What people read on the button.', example: 'Our staff', parse: label },
      SCOPES: {
        group,
        description: 'What is asked for, separated by spaces.',
        example: 'openid email',
        fallback: ['openid', 'email'] as readonly string[],
        parse: scopes,
      },
      SIGN_UP: {
        group,
        description:
          'verified-email: whoever comes with an address that the provider has verified, and that nobody has here, ' +
          'gets an account. Not set: people link the provider to an account that they have.',
        example: 'verified-email',
        parse: verifiedEmail,
      },
      MAX_AGE_SECONDS: {
        group,
        description:
          'Whose sign-in at the provider is older has to sign in there again. Not set: the provider decides.',
        example: '28800',
        parse: whole(1, 31_536_000),
      },
      SECOND_FACTOR_AMR: {
        group,
        description:
          'Values of `amr` that count as a second factor, because you know how this provider sets them. Not set: ' +
          'people prove their second factor here.',
        example: 'mfa,otp',
        fallback: [] as readonly string[],
        parse: listOf(printable),
      },
      SECOND_FACTOR_ACR: {
        group,
        description: 'The same for `acr`.',
        example: 'urn:example:gold',
        fallback: [] as readonly string[],
        parse: listOf(printable),
      },
    },
  },
  (values, prefix) => {
    const { ISSUER, CLIENT_ID, CLIENT_SECRET, PRIVATE_KEY_FILE, PRIVATE_KEY_ID } = values;
    return faultsAmong([
      [ISSUER === undefined, `${prefix}ISSUER is not set: set the issuer of the provider`],
      [CLIENT_ID === undefined, `${prefix}CLIENT_ID is not set: register this service at the provider`],
      [
        (CLIENT_SECRET === undefined) === (PRIVATE_KEY_FILE === undefined),
        `${prefix}CLIENT_SECRET and ${prefix}PRIVATE_KEY_FILE: set one of the two`,
      ],
      [
        PRIVATE_KEY_ID !== undefined && PRIVATE_KEY_FILE === undefined,
        `${prefix}PRIVATE_KEY_ID needs ${prefix}PRIVATE_KEY_FILE`,
      ],
    ]);
  },
);

export type ProviderSettings = ValuesOf<typeof providerSettings.variables>;

/** https, no query, no fragment (OpenID Connect Discovery 1.0 s3). */
function issuer(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isExact = url !== undefined && (url.href === text || url.href === `${text}/`);
  if (isExact && url.protocol === 'https:' && url.username === '' && !/[?#]/.test(text)) return text;
  throw new Error('set the issuer as the provider says it: https, and no query');
}

function printable(text: string): string {
  if (/^[\x21-\x7e]{1,512}$/.test(text)) return text;
  throw new Error('set printable ASCII without spaces');
}

function label(text: string): string {
  if (/^[\p{L}\p{N} .&-]{1,40}$/u.test(text)) return text;
  throw new Error('set up to 40 letters, digits and spaces');
}

function scopes(text: string): readonly string[] {
  const all = text.split(' ').filter(Boolean);
  if (all.includes('openid') && all.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/.test(scope))) return all;
  throw new Error('set scopes separated by spaces, openid among them');
}

function verifiedEmail(text: string): 'verified-email' {
  if (text === 'verified-email') return text;
  throw new Error('set verified-email, or leave it out');
}
