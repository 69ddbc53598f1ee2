import { BlockList, isIP, isIPv4 } from 'node:net';

const maxUrlLength = 2048;
const httpsPort = 443;

/**
 * The caller learns no more than this: error texts that differ make a port scanner of the service (abuse case A7-5).
 */
export class EgressRefused extends Error {
  constructor() {
    super('the destination is not allowed');
  }
}

// IANA special-purpose registries (RFC 6890): loopback, private, shared, link-local with its metadata service,
// benchmarks, multicast, ...
const special = new BlockList();
for (const range of [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
])
  add(range);
// Inside 2000::/3: Teredo and other protocols, documentation, and 6to4, which carries any IPv4 address.
for (const range of ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']) add(range);

const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');

/**
 * No list of allowed hosts opens these: link-local addresses and the metadata services of clouds hand out credentials
 * of the machine.
 */
const neverOpen = new BlockList();
// AWS and most others; Alibaba; Oracle; Azure, whose address is a public one.
for (const [address, bits] of [
  ['169.254.0.0', 16],
  ['100.100.100.200', 32],
  ['192.0.0.192', 32],
  ['168.63.129.16', 32],
] as const) {
  neverOpen.addSubnet(address, bits, 'ipv4');
  // NAT64 leads to the same place (RFC 6052); where it is in use, listed hosts have such addresses, so that not all of
  // them are closed.
  neverOpen.addSubnet(`64:ff9b::${address}`, 96 + bits, 'ipv6');
}
// Link-local; NAT64 of the own network, which may carry any address at any place (RFC 8215); AWS; Google.
for (const [address, bits] of [
  ['fe80::', 10],
  ['64:ff9b:1::', 48],
  ['fd00:ec2::254', 128],
  ['fd20:ce::254', 128],
] as const) {
  neverOpen.addSubnet(address, bits, 'ipv6');
}

function add(range: string): void {
  const [address = '', bits] = range.split('/');
  special.addSubnet(address, Number(bits), isIPv4(address) ? 'ipv4' : 'ipv6');
}

/**
 * True for an address of the public internet. Of IPv6 only global unicast counts: mapped, NAT64 and site-local forms
 * are none.
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !special.check(address, 'ipv4');
  return isIP(address) === 6 && globalUnicast.check(address, 'ipv6') && !special.check(address, 'ipv6');
}

const isNeverOpen = (address: string): boolean => neverOpen.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');

/** What one purpose may reach. */
export interface Reach {
  /** The allow-list (ASVS v5.0.0-13.2.4): origins as `URL.origin` writes them. All others are refused. */
  readonly origins: readonly string[];
  /** `host:port` of the configuration, which may be anywhere and on any port. */
  readonly privateHosts: readonly string[];
}

/** A destination that may be asked. */
export interface Destination {
  readonly url: URL;
  /** Whether a connection to the address is allowed, which was literal or came out of the resolver just now. */
  allows(address: string): boolean;
}

/**
 * Reads an outbound URL: an origin of the list; https, port 443, a name or a public address, unless the configuration
 * names the host. What parsers read differently is refused before one reads it: white space, control characters,
 * backslashes, user information (ASVS v5.0.0-1.3.6, 1.5.3). What hands out credentials of the machine is always
 * refused.
 * @throws EgressRefused
 */
export function destinationOf(text: string, { origins, privateHosts }: Reach): Destination {
  const url = readUrl(text);
  const port = Number(url.port || (url.protocol === 'http:' ? 80 : httpsPort));
  const isNamed = privateHosts.includes(`${url.hostname}:${port}`);
  const allows = (address: string) => !isNeverOpen(address) && isOpenTo(address, url, isNamed);
  const isOpen = isNamed || (port === httpsPort && isFullName(url.hostname));
  const address = literalIn(url.hostname);
  const isRefused = !isOpen || (address !== undefined && !allows(address));
  if (!origins.includes(url.origin) || isRefused) throw new EgressRefused();
  return { url, allows };
}

/** Clear text stays on this machine: an agent that holds the credentials of a key service listens there. */
const isOpenTo = (address: string, { protocol }: URL, isNamed: boolean): boolean =>
  protocol === 'http:' ? isNamed && isLoopback(address) : isNamed || isPublicAddress(address);

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');
const isLoopback = (address: string): boolean => loopback.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');

/** A scheme, and then printable ASCII that begins with a host; no quotes, fragments and backslashes. */
const unambiguous = /^https?:\/\/[\w[][!$-&(-[\]-~]*$/;

function readUrl(text: string): URL {
  if (text.length > maxUrlLength || !unambiguous.test(text) || !URL.canParse(text)) throw new EgressRefused();
  const url = new URL(text);
  if (url.username !== '' || url.password !== '' || url.hostname.endsWith('.')) throw new EgressRefused();
  return url;
}

/** Names without a dot are those of the own network. */
const isFullName = (host: string): boolean => host.includes('.') || host.startsWith('[');

/** The address that a URL names instead of a host; it was brought into its one form by the parser. */
function literalIn(hostname: string): string | undefined {
  const host = hostname.replace(/^\[|\]$/g, '');
  return isIP(host) === 0 ? undefined : host;
}
