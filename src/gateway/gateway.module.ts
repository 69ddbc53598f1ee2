// Threat: whoever reaches the service past its gateway: no firewall, no limits of the edge, addresses made up.
// Does: with GATEWAY_CA_FILE, speaks only to who shows the gateway's certificate; deploy/gateway configures such a
// gateway, from the declared routes.
// Does not: replace any control of the service: all of them hold with the gateway, without it, and past it.
// Also: deploy/gateway, scripts/gateway.ts, scripts/gateway.
// Remove: npm run remove gateway; any other proxy may stand in front, and TRUSTED_PROXIES says which is believed.
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Inject, Module } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SecurityEvents } from '../common/events/security-events.js';
import { Problem } from '../common/http/problem.js';
import { CONFIG, type Config } from '../config/index.js';
import { authoritiesIn, gatewaySettings } from './gateway.settings.js';

@Module({})
export class GatewayModule {
  constructor(host: HttpAdapterHost, @Inject(CONFIG) config: Config, events: SecurityEvents) {
    const { GATEWAY_CA_FILE: file, GATEWAY_NAME: name } = config.of(gatewaySettings);
    if (file === undefined || name === undefined) return;
    const instance: FastifyInstance = host.httpAdapter.getInstance();
    const known = new WeakMap<Socket, boolean>();
    instance.addHook('onRequest', ({ raw: { socket } }: FastifyRequest, _reply, done) => {
      const isGateway = known.get(socket) ?? isCertified(socket as TLSSocket, authoritiesIn(file), name);
      if (!isGateway && !known.has(socket))
        events.reportLater({ action: 'authz_fail', outcome: 'denied', details: { reason: 'not the gateway' } });
      known.set(socket, isGateway);
      done(isGateway ? undefined : new Problem('forbidden', 'Only the gateway may ask.', closing));
    });
  }
}

const closing = { headers: { connection: 'close' } };

/**
 * The handshake ended well with a certificate of any CA that the listener asks for; those of machines are no gateway,
 * whatever name is in them. So one of the gateway's own CAs must have signed it, and the name must be among its DNS
 * names; the common name does not count (RFC 9525 section 2).
 */
function isCertified(socket: TLSSocket, authorities: readonly X509Certificate[], name: string): boolean {
  const shown = socket.getPeerX509Certificate();
  if (shown === undefined || !socket.authorized) return false;
  const isSigned = authorities.some((ca) => ca.ca && shown.checkIssued(ca) && shown.verify(ca.publicKey));
  return isSigned && shown.checkHost(name, { subject: 'never', wildcards: false }) === name;
}
