import { isIPv4, isIPv6 } from 'node:net';
import { networkOf } from '../../common/http/network.js';
import { createAddressCheck } from '../../common/http/client-address.js';

/** Wider, and an operator's typing error takes the service away from a continent. */
const minPrefix = { ipv4: 12, ipv6: 24 };

/**
 * What a block is about: an IPv4 address, the /64 of an IPv6 address (one customer changes addresses within it at
 * will), or a range.
 * @returns undefined for what is none of them, or too wide.
 */
export function blockedNetwork(text: string): string | undefined {
  const [address = '', prefix, ...more] = text.trim().toLowerCase().split('/');
  if (more.length > 0 || !(isIPv4(address) || isIPv6(address))) return undefined;
  if (prefix === undefined) return networkOf(address);
  const [min, max] = isIPv4(address) ? [minPrefix.ipv4, 32] : [minPrefix.ipv6, 128];
  return /^\d{1,3}$/.test(prefix) && Number(prefix) >= min && Number(prefix) <= max
    ? `${address}/${prefix}`
    : undefined;
}

/** The trusted proxies, as they are configured, that a block would take away: everybody's requests come from them. */
export function proxiesIn(network: string, trustedProxies: readonly string[]): string[] {
  const isBlocked = createAddressCheck([network]);
  return trustedProxies.filter((range) => {
    const [address = ''] = range.split('/');
    const [blocked = ''] = network.split('/');
    return isBlocked(address) || createAddressCheck([range])(blocked);
  });
}
