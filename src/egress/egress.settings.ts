import { declareSettings, listOf, path } from '../config/index.js';

export const egressSettings = declareSettings({
  EGRESS_ALLOW_PRIVATE_HOSTS: {
    group: 'Outbound HTTP',
    description:
      'host:port that may be asked although its address is private or its port is not 443. Exact names; ' +
      'link-local addresses stay closed.',
    example: 'breaches.internal.example:8443',
    fallback: [] as readonly string[],
    parse: listOf(hostAndPort),
  },
  EGRESS_CA_FILE: {
    group: 'Outbound HTTP',
    description:
      'PEM file of the CAs that may sign the certificates of services that are asked. Not set: the public ones.',
    example: '/etc/tls/egress-ca.crt',
    parse: path,
  },
});

/** A host in lower case and a port, as a URL writes them: `[::1]:8443` for IPv6. */
function hostAndPort(text: string): string {
  const [, name, port] = /^([a-z0-9.-]+|\[[0-9a-f:]+\]):(\d{1,5})$/.exec(text) ?? [];
  const origin = `https://${name}`;
  const isExact = name !== undefined && URL.canParse(origin) && new URL(origin).hostname === name;
  if (isExact && Number(port) >= 1 && Number(port) <= 65535) return text;
  throw new Error('set hosts with a port, in lower case, such as idp.internal.example:8443');
}
