import type { KeyWrapper } from '@nestjs-secure-template/field-encryption';
import type { Config } from '../../../config/index.js';
import type { Egress } from '../../../egress/index.js';

/** A key service that may wrap data keys, with what it reads from the configuration. */
export interface ConfiguredWrapper {
  readonly name: string;
  /** The variables that it cannot do without, for the message when it is chosen and they are missing. */
  readonly demands: string;
  /** @returns how it is opened; undefined when it is not configured. */
  readonly open: (config: Config) => ((egress: Egress) => Promise<KeyWrapper>) | undefined;
}

/**
 * How a key service is asked: the owner chose the host, which is often one of the own network. No circuit: without it
 * nobody's data opens, so it is asked again at once, three times within bounds, and works in the moment it is back.
 *
 * @public also for a service of yours
 */
export const keyServiceEgress = { mayBePrivate: true, keepAlive: true, circuit: 'none' } as const;

/**
 * Data keys in clear are in the answers: they cross a network under TLS only.
 *
 * @public also for a service of yours
 */
export function keyServiceOrigin(text: string): string {
  const { protocol, hostname, origin, href } = URL.canParse(text) ? new URL(text) : new URL('invalid:');
  const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
  const bare = href === `${origin}/` && !/[?#]$/.test(text);
  if (bare && (protocol === 'https:' || (protocol === 'http:' && loopback))) return origin;
  throw new Error('set an https origin without path and credentials; http only for this machine');
}
