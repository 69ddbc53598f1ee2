import { randomBytes } from 'node:crypto';
import { signIn } from '../../support/actors.js';
import { Authenticator } from '../../support/authenticator.js';
import type { Cast, Fresh, Stage } from './matrix.actors.js';

/** What a route is called with, where `{}` is not enough. */
interface Call {
  /** Left out: the parameters of the path are filled in by `pathOf`. */
  readonly path?: (cast: Cast) => string | Promise<string>;
  readonly body?: unknown;
  /** In place of `body`, for what can be sent once only. */
  readonly bodyFor?: (cast: Cast) => unknown;
  /** The call ends the caller's session or account, so that each actor comes with another one. */
  readonly fresh?: Fresh;
}

/** A route of the inventory without a line here fails the matrix: nobody has thought yet about what it is to be called with. */
export const calls: Readonly<Record<string, Call>> = {
  'GET /.well-known/jwks.json': {},
  'GET /.well-known/webauthn': {},
  'GET /docs': {},
  'GET /docs/marked.js': {},
  'GET /docs/pages.css': {},
  'GET /docs/passkeys': {},
  'GET /docs/passkeys.js': {},
  'GET /docs/purify.js': {},
  'GET /docs/resources': {},
  'GET /docs/resources.js': {},
  'GET /docs/start.js': {},
  'GET /docs/swagger-ui-bundle.js': {},
  'GET /docs/swagger-ui.css': {},
  'GET /openapi.json': {},
  'GET /problems': {},
  'GET /problems/:type': { path: () => '/problems/not-found' },

  'POST /v1/auth/email/change': { fresh: 'session', bodyFor: () => ({ email: anyEmail() }) },
  'POST /v1/auth/email/confirm': { body: { token: 'x' } },
  'POST /v1/auth/email/resend': { bodyFor: () => ({ email: anyEmail() }) },
  'POST /v1/auth/email/verify': { body: { token: 'x', password: 'violet harbour counts to nine', name: 'M' } },
  // Whoever signs in anew ends the session that the call came with.
  'POST /v1/auth/login': { fresh: 'session', bodyFor: ({ people: { owner } }) => ({ email: owner.email, password: owner.password }) },
  'POST /v1/auth/logout': { fresh: 'session' },
  // A challenge that nobody handed out: what a genuine answer gets is tested beside the passkeys.
  'POST /v1/auth/passkeys': { body: { name: 'n', credential: staleCredential().created } },
  'GET /v1/auth/passkeys': {},
  'PATCH /v1/auth/passkeys/:id': { body: { name: 'n' } },
  'DELETE /v1/auth/passkeys/:id': { fresh: 'session' },
  'POST /v1/auth/passkeys/registration-options': { fresh: 'session' },
  'POST /v1/auth/passkeys/sign-in': { body: { credential: staleCredential().used } },
  'POST /v1/auth/passkeys/sign-in-options': {},
  // Each has the right to the route, and none of them knows the present password.
  'POST /v1/auth/password/change': { fresh: 'session', body: { oldPassword: 'not the present one', newPassword: 'violet harbour counts to nine' } },
  'POST /v1/auth/password/forgot': { bodyFor: () => ({ email: anyEmail() }) },
  'POST /v1/auth/password/reset': { body: { token: 'x', password: 'violet harbour counts to nine' } },
  'GET /v1/auth/recovery-codes': {},
  'POST /v1/auth/recovery-codes': { fresh: 'person' },
  'POST /v1/auth/recovery-codes/verify': { body: { code: 'x' } },
  'POST /v1/auth/refresh': { bodyFor: async ({ app, people }) => ({ refreshToken: (await signIn(app, people.stranger)).refreshToken }) },
  'POST /v1/auth/register': { bodyFor: () => ({ email: anyEmail() }) },
  'DELETE /v1/auth/sessions': { fresh: 'person' },
  'GET /v1/auth/sessions': {},
  // No session has the id of a user: what is there for the owner of one is tested beside the sessions.
  'DELETE /v1/auth/sessions/:id': { fresh: 'session' },
  'DELETE /v1/auth/sessions/others': { fresh: 'person' },
  'DELETE /v1/auth/totp': { fresh: 'person' },
  'POST /v1/auth/totp': { fresh: 'person' },
  'POST /v1/auth/totp/confirm': { body: { code: '000000' } },
  'POST /v1/auth/totp/verify': { body: { code: '000000' } },

  'GET /v1/invitations': {},
  // To the stranger, who must be the only one to whom it is there.
  'POST /v1/invitations/:id/accept': { path: async (cast) => `/v1/invitations/${await cast.invitation()}/accept` },
  'POST /v1/invitations/:id/decline': { path: async (cast) => `/v1/invitations/${await cast.invitation()}/decline` },
  'POST /v1/invitations/opt-out': { body: { token: 'x' } },

  'GET /v1/resources': {},
  'POST /v1/resources': { body: { title: 't', body: 'b' } },
  'DELETE /v1/resources/:id': {},
  'GET /v1/resources/:id': {},
  'PATCH /v1/resources/:id': { body: { title: 'changed' } },
  'GET /v1/resources/:id/invitations': {},
  // One that nobody made: what the owner gets for a real one is tested beside the invitations.
  'DELETE /v1/resources/:id/invitations/:invitationId': {},
  'GET /v1/resources/:id/shares': {},
  'POST /v1/resources/:id/shares': { body: { email: 'matrix@example.org', role: 'viewer' } },
  'DELETE /v1/resources/:id/shares/:userId': {},
  'PUT /v1/resources/:id/shares/:userId': { body: { role: 'viewer' } },

  // It would end every session of this table: an administrator who signed in some time ago is asked to do it again.
  'DELETE /v1/sessions': { fresh: 'stale session' },
  'GET /v1/users': {},
  'GET /v1/users/:id': {},
  'POST /v1/users/:id/password-reset': { path: ({ victim }) => `/v1/users/${victim.userId}/password-reset`, fresh: 'session' },
  'PATCH /v1/users/:id/roles': { body: { roles: ['user'] }, fresh: 'session' },
  'DELETE /v1/users/:id/sessions': { path: ({ victim }) => `/v1/users/${victim.userId}/sessions`, fresh: 'session' },
  'PATCH /v1/users/:id/status': { path: ({ victim }) => `/v1/users/${victim.userId}/status`, body: { status: 'active' }, fresh: 'session' },
  'DELETE /v1/users/me': { fresh: 'person' },
  'GET /v1/users/me': {},
  'PATCH /v1/users/me': { body: { phone: null } },
  'GET /v1/users/me/export': { fresh: 'session' },
};

/** The staged resource, and for every other id the person with whom it is shared for reading. */
export const pathOf = (path: string, { people }: Cast, stage: Stage): string =>
  path.replace('/resources/:id', `/resources/${stage.id}`).replaceAll(/:\w+/g, people.viewer.userId);

const anyEmail = (): string => `matrix.${randomBytes(6).toString('hex')}@example.org`;

/** The form of a WebAuthn answer, for a registration and for a sign-in, with nothing genuine in it. */
function staleCredential() {
  const key = new Authenticator('https://nowhere.example');
  const challenge = randomBytes(32).toString('base64url');
  const created = key.create({ challenge, rp: { id: 'nowhere.example' }, user: { id: 'AA' } });
  return { created, used: key.get({ challenge, rpId: 'nowhere.example' }) };
}
