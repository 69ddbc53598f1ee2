import { ViewField } from '../../common/view.js';

/** What a login or a refresh hands out. */
export class TokensView {
  @ViewField({ type: 'string', description: 'JWT for `Authorization: Bearer`.' })
  accessToken: string;

  @ViewField({ type: 'string', enum: ['Bearer'] })
  tokenType: 'Bearer';

  @ViewField({ type: 'integer', description: 'Lifetime of the access token.' })
  expiresInSeconds: number;

  @ViewField({ type: 'string', nullable: true, description: 'For POST /v1/auth/refresh, once. Null while a second factor is due, and in browser mode, where it is a cookie.' })
  refreshToken: string | null;

  @ViewField({ type: 'array', items: { type: 'string', enum: ['totp', 'recovery-code', 'passkey', 'enrolment'] }, description: 'What can be proved next; `enrolment`: nothing can, and a factor has to be enrolled. Until then the access token opens the routes of the second factor only. Empty: signed in.' })
  secondFactors: readonly string[];
}

/** What a sign-in hands out. */
export class SignedInView extends TokensView {
  @ViewField({ type: 'string', nullable: true, description: 'For the next logins on this device with this address, for 90 days. It proves nothing; it only keeps strangers who guess from slowing them down. Null on a new device while a second factor is due.' })
  deviceToken: string | null;
}
