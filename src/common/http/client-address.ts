import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { Logger } from '@nestjs/common';

const warningEveryMs = 60_000;

export type ClientAddress = (request: IncomingMessage) => string;

/** True for addresses of the list: single ones, and ranges like `10.0.0.0/8`. */
export function createAddressCheck(ranges: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return (address) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/**
 * Who the client is: the nearest hop that is no trusted proxy, from the right of `X-Forwarded-For`, with or without a
 * port, as some proxies write it. Only trusted proxies are believed, and only an address: of anything else the proxy's
 * own counts, so that neither log nor limits work on a text that a client made up (ASVS v5.0.0-4.1.3, 15.3.4).
 */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  const isTrusted = createAddressCheck(trustedProxies);
  const warn = createWarning();
  return ({ socket, headers }) => {
    let address = socket.remoteAddress ?? 'unknown';
    const field = headers['x-forwarded-for'];
    if (trustedProxies.length === 0 || field === undefined) return address;
    const hops = [field].flat().join(',').split(',');
    while (isTrusted(address) && hops.length > 0) {
      const next = addressIn(hops.pop()?.trim() ?? '');
      if (next === undefined) {
        warn(address);
        return address;
      }
      address = next;
    }
    return address;
  };
}

function createWarning(): (proxy: string) => void {
  const logger = new Logger('Transport');
  let nextAt = 0;
  return (proxy) => {
    if (performance.now() < nextAt) return;
    nextAt = performance.now() + warningEveryMs;
    logger.warn(`${proxy} sends an X-Forwarded-For that ends with no address: its clients share its limits`);
  };
}

/** Out of `1.2.3.4`, `1.2.3.4:55`, `2001:db8::1`, `[2001:db8::1]` and `[2001:db8::1]:55`. */
function addressIn(hop: string): string | undefined {
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d{1,5})?$/.exec(hop) ?? [];
  const address = bracketed ?? dotted ?? hop;
  return isIP(address) === 0 ? undefined : address;
}
