import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { declareSettings, faultsAmong, path } from '../config/index.js';
import { declareClientAuthorities } from '../security/transport/index.js';

const group = 'Gateway (practice 9.4)';
const dnsName = /^(?=.{1,253}$)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*$/;

export const gatewaySettings = declareSettings(
  {
    GATEWAY_CA_FILE: {
      group,
      description:
        "PEM file of the CAs that sign your gateway's certificate; a replaced file counts without a restart. " +
        'Not set: whoever reaches the public port may speak.',
      example: '/etc/tls/gateway-ca.crt',
      parse: path,
    },
    GATEWAY_NAME: {
      group,
      description: 'DNS name in the certificate of your gateway, exactly.',
      example: 'gateway.internal',
      parse: (text) => {
        if (!dnsName.test(text)) throw new Error('set a DNS name in small letters, without a wildcard');
        return text;
      },
    },
  },
  ({ GATEWAY_CA_FILE: file, GATEWAY_NAME: name }, { trustedProxies }) =>
    faultsAmong([
      [file === undefined && name !== undefined, 'GATEWAY_CA_FILE: set it too: GATEWAY_NAME alone keeps nobody out'],
      [
        file !== undefined && name === undefined,
        'GATEWAY_NAME: set it too: every certificate of these CAs would be a gateway',
      ],
      [
        file !== undefined && trustedProxies.length === 0,
        'TRUSTED_PROXIES: set it to the addresses of the gateway: all its clients would share its limits',
      ],
      [
        file !== undefined && authoritiesIn(file).length === 0,
        'GATEWAY_CA_FILE: there is no certificate in it that can be read: set the PEM file of the CA of your gateway',
      ],
    ]),
);

declareClientAuthorities({
  variable: 'GATEWAY_CA_FILE',
  file: (config) => config.of(gatewaySettings).GATEWAY_CA_FILE,
  isRequired: true,
});

/** None when the file, or anything in it, cannot be read. */
export function authoritiesIn(file: string): X509Certificate[] {
  try {
    const blocks = readFileSync(file, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
    return (blocks ?? []).map((block) => new X509Certificate(block));
  } catch {
    return [];
  }
}
