import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { CredentialRefused } from './credential-refused.js';
import type { Machine } from './principal.js';
import type { Revocation } from './revocations.js';

/** A security scheme of OpenAPI 3.1 (s4.8.27), as the API description publishes it. */
export type SecurityScheme =
  | { readonly type: 'http'; readonly scheme: string; readonly bearerFormat?: string; readonly description?: string }
  | { readonly type: 'mutualTLS'; readonly description?: string }
  | { readonly type: 'openIdConnect'; readonly openIdConnectUrl: string; readonly description?: string }
  | {
      readonly type: 'oauth2';
      readonly flows: {
        readonly clientCredentials: {
          readonly tokenUrl: string;
          readonly scopes: Readonly<Record<string, string>>;
        };
      };
      readonly description?: string;
    };

/**
 * One way in which machines say who they are. Each registers itself, and the authentication guard asks all of them; it
 * knows none by name.
 */
export interface MachineAuthenticator {
  /** As audit trail, principal and API description name it: `api-key`. */
  readonly name: string;
  readonly scheme: SecurityScheme;
  /** Where its credential travels: in the `Authorization` header, or with the connection, as a certificate does. */
  readonly place: 'authorization' | 'connection';
  /**
   * The credential that the request carries for this method; undefined when it carries none. Looks at its form alone:
   * no look-up.
   * @throws CredentialRefused for one that is where none belongs.
   */
  find(request: FastifyRequest): string | undefined;
  /**
   * Whether a certificate that stands for no machine may be shown with this request: as the proof that the caller holds
   * the credential, or is who wants one (RFC 8705). Left out: with none.
   */
  takesCertificate?(request: FastifyRequest): boolean;
  /** Who calls with it. @throws CredentialRefused when it is not, or no longer, good. */
  authenticate(credential: string, request: FastifyRequest): Promise<Machine>;
  /** What the machine may do at this moment, for answers that last; undefined when it may do nothing any more. */
  present(machine: Machine): Promise<Machine | undefined>;
  /** Called on every instance with each revocation: what is remembered of those whom it concerns does not count. */
  forget(revocation: Revocation): void;
}

/** A credential as it was found, not looked at yet. */
export interface FoundCredential {
  readonly by: MachineAuthenticator;
  readonly credential: string;
}

/** The ways that the service has. */
@Injectable()
export class MachineAuthenticators {
  private readonly registered: MachineAuthenticator[] = [];
  private readonly others: ((request: FastifyRequest) => boolean)[] = [];

  /** @throws Error for a name that is taken. */
  register(authenticator: MachineAuthenticator): void {
    const { name } = authenticator;
    if (this.registered.some((one) => one.name === name))
      throw new Error(`the authenticator ${name} is registered twice`);
    this.registered.push(authenticator);
  }

  /** For credentials that only people have, such as a cookie: a request of a machine that carries one has two. */
  refuseBeside(isIn: (request: FastifyRequest) => boolean): void {
    this.others.push(isIn);
  }

  list(): readonly MachineAuthenticator[] {
    return this.registered;
  }

  /**
   * The credential of a machine; undefined when no method knows one in the request.
   * @throws CredentialRefused when there is a second credential of any kind: of two, an attacker chooses which one each
   * hop believes.
   */
  find(request: FastifyRequest): FoundCredential | undefined {
    let found: FoundCredential | undefined;
    for (const by of this.registered) {
      const credential = by.find(request);
      if (credential === undefined) continue;
      if (found !== undefined) throw new CredentialRefused('several');
      found = { by, credential };
    }
    if (found !== undefined && this.hasAnother(found, request)) throw new CredentialRefused('several');
    return found;
  }

  takesCertificate(request: FastifyRequest): boolean {
    return this.registered.some((one) => one.takesCertificate?.(request) === true);
  }

  /** Undefined as well when the method is not there any more. */
  async present(machine: Machine): Promise<Machine | undefined> {
    return this.registered.find(({ name }) => name === machine.method)?.present(machine);
  }

  forget(revocation: Revocation): void {
    for (const one of this.registered) one.forget(revocation);
  }

  private hasAnother({ by }: FoundCredential, request: FastifyRequest): boolean {
    const isUnread = by.place !== 'authorization' && request.headers.authorization !== undefined;
    return isUnread || this.others.some((isIn) => isIn(request));
  }
}
