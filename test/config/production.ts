/** The least that a production start demands: a variable that it demands tomorrow is added here, once. */
export const production = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://api.example.org',
  HOST: '0.0.0.0',
  TLS_CERTIFICATE_FILE: '/etc/tls/tls.crt',
  TLS_KEY_FILE: '/etc/tls/tls.key',
  ALLOW_IN_PRODUCTION: 'embedded-database,no-mail-server',
  KEY_RING_FILE: '/run/secrets/keys.json',
  TOMBSTONE_FILE: '/mnt/tombstones.txt',
};
