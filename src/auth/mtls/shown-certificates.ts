import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';
import { CredentialRefused } from '../../common/access/credential-refused.js';
import { ClientCertificate } from './client-certificate.js';

const ofConnections = new WeakMap<Socket, ClientCertificate | 'none'>();

/**
 * The certificate of the connection, whether it is good or not. It stays the same for as long as the connection lives:
 * the listener neither renegotiates nor resumes (security/transport/tls.ts).
 */
export function shownCertificate({ raw: { socket } }: FastifyRequest): ClientCertificate | undefined {
  const known = ofConnections.get(socket) ?? read(socket);
  ofConnections.set(socket, known);
  return known === 'none' ? undefined : known;
}

const isTls = (socket: Socket): socket is TLSSocket => 'getPeerX509Certificate' in socket;

function read(socket: Socket): ClientCertificate | 'none' {
  // Not `authorized`: of a resumed session of TLS 1.3, Node says that without any certificate.
  const certificate = isTls(socket) ? socket.getPeerX509Certificate() : undefined;
  return certificate === undefined ? 'none' : new ClientCertificate(certificate);
}

/** What OpenSSL found at the handshake: the whole path, the purpose, and that the client has the key. */
export const isVerified = ({ raw: { socket } }: FastifyRequest): boolean => isTls(socket) && socket.authorized;

/**
 * What RFC 9440 calls `Client-Cert`; undefined when neither that nor `Client-Cert-Chain` was sent.
 * @throws CredentialRefused for a chain without its certificate.
 */
export function forwardedField({ headers }: FastifyRequest): string | undefined {
  const { 'client-cert': field, 'client-cert-chain': chain } = headers;
  if (field === undefined && chain !== undefined) throw new CredentialRefused('malformed');
  return field === undefined ? undefined : [field].flat().join(', ');
}
