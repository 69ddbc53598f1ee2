// Threat: programs that call with a secret which can be copied out of a file, a log or a proxy (ASVS v5.0.0-12.3.5).
// Does: client certificates of configured CAs, each a machine by a file; from the connection, or from a gateway that
// proved by its own certificate who it is (RFC 9440); looked at anew at each request, with revocation lists.
// Does not: issue certificates; ask a CA whether one is revoked (OCSP).
// Remove: npm run remove mtls; programs then call by the other methods of machines, if there are any.
import { Module } from '@nestjs/common';
import { CertificateAuthenticator } from './certificate-authenticator.js';
import { OwnerRepository } from './owner.repository.js';
import { TrustFiles } from './trust-files.js';

@Module({ providers: [CertificateAuthenticator, OwnerRepository, TrustFiles] })
export class MtlsModule {}
