import { OptionalField, TokenField } from '../../common/http/fields.js';
import { ViewField } from '../../common/http/view.js';
import { time } from '../../common/http/view-kinds.js';
import { dueFactors } from '../factors/second-factors.js';

export class Refresh {
  /** Left out in browser mode: the cookie has it. */
  @OptionalField()
  @TokenField({ max: 1000 })
  refreshToken?: string;
}

/** What a login or a refresh hands out. */
export class TokensView {
  @ViewField({ type: 'string', description: 'JWT for `Authorization: Bearer`.' })
  accessToken: string;

  @ViewField({ type: 'string', enum: ['Bearer'] })
  tokenType: 'Bearer';

  @ViewField({ type: 'integer', description: 'Lifetime of the access token.' })
  expiresInSeconds: number;

  @ViewField({
    type: 'string',
    nullable: true,
    description:
      'For POST /v1/auth/refresh, once. Null while a second factor is due, and in browser mode, where it is a cookie.',
  })
  refreshToken: string | null;

  @ViewField({
    type: 'array',
    items: { type: 'string', enum: dueFactors },
    description:
      'What can be proved next; `enrolment`: nothing can, and a factor has to be enrolled. ' +
      'Until then the access token opens the routes of the second factor only. Empty: signed in.',
  })
  secondFactors: readonly string[];
}

/** What a sign-in hands out. */
export class SignedInView extends TokensView {
  @ViewField({
    type: 'string',
    nullable: true,
    description:
      'For the next logins on this device with this address, for 90 days. It proves nothing; ' +
      'it only keeps strangers who guess from slowing them down. Null on a new device while a second factor is ' +
      'due.',
  })
  deviceToken: string | null;
}

/** A session that is open. No token, no counter, no address: nothing that somebody could use who sees the list. */
export class SessionView {
  @ViewField({ type: 'string', format: 'uuid' })
  id: string;

  @ViewField({ type: 'boolean', description: 'The session of this very request.' })
  current: boolean;

  @ViewField({
    type: 'string',
    nullable: true,
    description: 'A coarse label, of when the session began.',
    example: 'Firefox on Linux',
  })
  device: string | null;

  @ViewField({
    type: 'string',
    nullable: true,
    description: 'The network where the session began: IPv4 /24, IPv6 /48.',
    example: '203.0.113.0/24',
  })
  place: string | null;

  @ViewField({ ...time, description: 'When the person proved who they are.' })
  authenticatedAt: Date;

  @ViewField({ ...time, description: 'The last refresh. A client that is in use refreshes every five minutes.' })
  lastSeenAt: Date;

  @ViewField({ ...time, description: 'The session ends then at the latest.' })
  expiresAt: Date;

  @ViewField({
    type: 'boolean',
    description:
      'Somebody gave the password and has not proved the second factor: change the password if it was not you.',
  })
  secondFactorDue: boolean;
}

/** All open sessions of the caller, latest use first; there are at most 100. */
export class SessionsView {
  @ViewField({ view: () => SessionView, many: true })
  items: SessionView[];
}
