import { BlockList, isIPv4, isIPv6 } from 'node:net';

/**
 * The part of an address that one customer cannot rotate: IPv4 as it is, IPv6 cut to its /64. Limits and the audit
 * trail use it, so that a /64 full of addresses is one client (abuse case A4-6).
 */
export function networkOf(address: string): string {
  const unmapped = unmap(address);
  return isIPv6(unmapped) ? prefixOf(unmapped, 4) : unmapped;
}

/**
 * Where a client is, so coarsely that it names a provider's region and no household: IPv4 /24, IPv6 /48. Null for no
 * address.
 */
export function coarseNetworkOf(address: string): string | null {
  const unmapped = unmap(address);
  if (isIPv4(unmapped)) return `${unmapped.slice(0, unmapped.lastIndexOf('.'))}.0/24`;
  return isIPv6(unmapped) ? prefixOf(unmapped, 3) : null;
}

/**
 * What one attacker may well have all of: IPv4 /24, IPv6 /56, which providers give to one customer. For taking turns
 * under a flood.
 */
export function neighbourhoodOf(address: string): string {
  const unmapped = unmap(address);
  if (!isIPv6(unmapped)) return coarseNetworkOf(unmapped) ?? unmapped;
  const [first, second, third, fourth = '0'] = prefixOf(unmapped, 4).split(':');
  return `${[first, second, third].join(':')}:${(Number.parseInt(fourth, 16) & 0xff_00).toString(16)}::/56`;
}

/** An IPv4 address out of its IPv6 form. */
const unmap = (address: string): string => /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;

/** The first groups of an IPv6 address, in its one spelling. */
function prefixOf(address: string, count: number): string {
  const [head = '', tail] = (address.split('%')[0] ?? '').toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array.from({ length: gap }, () => '0'), ...right].slice(0, count);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/${16 * count}`;
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const internal = new BlockList();
for (const [network, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
] as const) {
  internal.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  internal.addSubnet(network, prefix, 'ipv6');

/** True for an address literal (or `localhost`) that is no address of the internet: RFC 1918, 4193, 4291 and 6598. */
export function isInternal(host: string): boolean {
  return host === 'localhost' || internal.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}

/** True for an address literal (or `localhost`) that never leaves the machine. */
export function isLoopback(host: string): boolean {
  const literal = host.replace(/^\[|\]$/g, '');
  return literal === 'localhost' || loopback.check(literal, isIPv6(literal) ? 'ipv6' : 'ipv4');
}

/**
 * The one spelling of a host with its port: the dot at the end of a full name, and the port that HTTPS has anyway, mean
 * nothing (RFC 9110 section 4.2.3).
 */
export function normaliseHost(host: string): string {
  const [, name = '', port] = /^(.*?)\.?(?::(\d+))?$/.exec(host.toLowerCase()) ?? [];
  return port === undefined || port === '443' ? name : `${name}:${port}`;
}
