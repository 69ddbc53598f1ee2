import { Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Limit } from '../../common/http/rate-limit.js';
import { normaliseEmail } from '../../common/normalisation.js';
import { KnownDevices } from '../../common/access/known-devices.js';
import { Macs } from '../../common/macs.js';
import { mailboxOf } from '../../common/mail-address.js';
import { networkOf } from '../../common/http/network.js';
import type { Principal } from '../../common/access/principal.js';
import { requestContext } from '../../common/http/request-context.js';
import { memberSeparator } from './limiter-storage.js';

/** Of the session, or of the machine. */
const idOf = (principal: Principal): string =>
  principal.kind === 'machine' ? principal.machineId : principal.sessionId;

export type LimitedRequest = FastifyRequest & { readonly user?: Principal };

/** What a request is counted under. */
@Injectable()
export class LimitKeys {
  constructor(
    @Inject(Macs) private readonly macs: Macs,
    @Inject(KnownDevices) private readonly devices: KnownDevices,
  ) {}

  /** Whether the limit is about such a device. */
  concerns({ from }: Limit, request: LimitedRequest): boolean {
    return from === undefined || (from === 'known devices') === (this.deviceOf(request) !== undefined);
  }

  keyOf({ per }: Limit, request: LimitedRequest): string {
    return this.keys[per](request);
  }

  private readonly keys: Readonly<Record<Limit['per'], (request: LimitedRequest) => string>> = {
    'network': (request) => this.network(request),
    'accounts of network': (request) => `${this.network(request)}${memberSeparator}${this.account(request)}`,
    'account': (request) => this.account(request),
    'account and network': (request) => `${this.account(request)}|${this.network(request)}`,
    'user': (request) => this.user(request),
    'user and account': (request) => `${this.user(request)}|${this.account(request)}`,
    'session': (request) => (request.user === undefined ? this.network(request) : idOf(request.user)),
    'machine': (request) => (request.user === undefined ? this.network(request) : idOf(request.user)),
    'due factor': (request) => this.dueFactor(request),
    'device': (request) => this.deviceOf(request) ?? this.network(request),
  };

  /** Whoever only knows the password must not use up what the owner may do: half a sign-in is counted for itself. */
  private user(request: LimitedRequest): string {
    const { user } = request;
    if (user === undefined) return this.network(request);
    return user.kind === 'person' && user.factorDue ? user.sessionId : user.userId;
  }

  /** Only what may be a guess fills the bucket of the user; whoever has no factor yet cannot guess one. */
  private dueFactor(request: LimitedRequest): string {
    const { user } = request;
    if (user === undefined) return this.network(request);
    return user.kind === 'machine' || (user.factorDue && !user.enrolmentDue) ? user.userId : user.sessionId;
  }

  private deviceOf({ body }: LimitedRequest): string | undefined {
    const { deviceToken, email } = fieldsOf(body);
    return deviceToken === undefined ? undefined : this.devices.recognise(deviceToken, email);
  }

  /** Never a text that a client made up, whoever passes it on (abuse case A4-6): see common/http/client-address.ts. */
  private network(request: LimitedRequest): string {
    return networkOf(requestContext()?.address ?? request.socket.remoteAddress ?? 'unknown');
  }

  /**
   * A keyed digest of the route and the e-mail address in the body: the counters, maybe in Redis, must not hold
   * personal data. Each route for itself, or whoever registers an address again and again would keep its owner from
   * resetting a password.
   */
  private account({ body, routeOptions }: LimitedRequest): string {
    const { email } = fieldsOf(body);
    return this.macs.keyed(
      'rate-limit',
      `${routeOptions.url} ${typeof email === 'string' ? mailboxOf(normaliseEmail(email)) : ''}`,
    );
  }
}

const fieldsOf = (body: unknown) =>
  (typeof body === 'object' && body !== null ? body : {}) as { email?: unknown; deviceToken?: unknown };
