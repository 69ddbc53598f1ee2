import { declareSettings, domain, faultsAmong, httpsOrigin, listOf, type Config } from '../../../config/index.js';

export const passkeySettings = declareSettings(
  {
    PASSKEY_RP_ID: {
      group: 'Authentication (practice 2)',
      description:
        'The domain that passkeys belong to, for good: the host of PUBLIC_URL, ' +
        'or a parent domain of it that the application shares. Not set: the host.',
      example: 'example.org',
      parse: domain,
    },
    PASSKEY_ORIGINS: {
      group: 'Authentication (practice 2)',
      description:
        'Further exact origins whose pages register passkeys and sign in by them; ' +
        'each has to be in CORS_ORIGINS too. Empty: PUBLIC_URL only.',
      example: 'https://app.example.org',
      fallback: [] as readonly string[],
      parse: listOf(httpsOrigin),
    },
  },
  // A browser refuses what these two name: better now than at the first registration.
  (_values, config) => {
    const { hostname } = new URL(config.publicUrl);
    const { id, origins } = relyingParty(config);
    const isParent = hostname.endsWith(`.${id}`) && id.includes('.');
    return faultsAmong([
      [
        hostname !== id && !isParent,
        'PASSKEY_RP_ID: set the host of PUBLIC_URL, or a domain above it that has a dot (WebAuthn Level 3 s5.1.2)',
      ],
      [
        origins.some((origin) => origin !== config.publicUrl && !config.corsOrigins.includes(origin)),
        'PASSKEY_ORIGINS: add each of them to CORS_ORIGINS too: a page that may not call the API cannot use a passkey',
      ],
    ]);
  },
);

/** The domain that passkeys belong to, and all https origins whose pages may use them; `publicUrl` is the first. */
export function relyingParty(config: Config): { readonly id: string; readonly origins: readonly string[] } {
  const { PASSKEY_RP_ID, PASSKEY_ORIGINS } = config.of(passkeySettings);
  return { id: PASSKEY_RP_ID ?? new URL(config.publicUrl).hostname, origins: [config.publicUrl, ...PASSKEY_ORIGINS] };
}
