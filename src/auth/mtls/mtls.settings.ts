import { declareSettings, faultsAmong, path } from '../../config/index.js';
import { declareClientAuthorities } from '../../security/transport/index.js';

const group = 'Machines by certificate (practice 2.2)';

export const mtlsSettings = declareSettings(
  {
    MTLS_CA_FILE: {
      group,
      description:
        'PEM file of your CAs whose client certificates count, each with the CAs above it; replaced files count ' +
        'without a restart. Never a public CA. Not set: no client is asked for a certificate.',
      example: '/etc/tls/clients-ca.crt',
      parse: path,
    },
    MTLS_MACHINES_FILE: {
      group,
      description: 'JSON file that says which certificate is which machine or gateway: docs/practices/mtls.md.',
      example: '/etc/app/machines.json',
      parse: path,
    },
    MTLS_CRL_FILE: {
      group,
      description:
        'PEM file with the revocation list of each CA; replaced files count without a restart, and without a fresh ' +
        'list no certificate counts. Not set: nothing is revoked but by MTLS_MACHINES_FILE.',
      example: '/etc/tls/clients.crl',
      parse: path,
    },
  },
  ({ MTLS_CA_FILE, MTLS_CRL_FILE, MTLS_MACHINES_FILE }) =>
    faultsAmong([
      [
        MTLS_CA_FILE === undefined && MTLS_MACHINES_FILE !== undefined,
        'MTLS_CA_FILE: set it too: nobody can show a certificate of MTLS_MACHINES_FILE without',
      ],
      [
        MTLS_CA_FILE === undefined && MTLS_CRL_FILE !== undefined,
        'MTLS_CA_FILE: set it too: MTLS_CRL_FILE is about certificates that nobody is asked for',
      ],
      [
        MTLS_CA_FILE !== undefined && MTLS_MACHINES_FILE === undefined,
        'MTLS_MACHINES_FILE: set it too: no certificate is a machine without',
      ],
    ]),
);

declareClientAuthorities({ variable: 'MTLS_CA_FILE', file: (config) => config.of(mtlsSettings).MTLS_CA_FILE });
