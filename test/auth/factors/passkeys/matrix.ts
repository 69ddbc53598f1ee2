import { randomBytes } from 'node:crypto';
import { Authenticator } from '../../../support/authenticator.js';
import type { MatrixPart } from '../../../security/authorization/matrix.parts.js';

export const matrix: MatrixPart = {
  calls: {
    'GET /.well-known/webauthn': {},
    // A challenge that nobody handed out: what a genuine answer gets is tested beside this.
    'POST /v1/auth/passkeys': { body: { name: 'n', credential: staleCredential().created } },
    'GET /v1/auth/passkeys': {},
    'PATCH /v1/auth/passkeys/:id': { body: { name: 'n' } },
    'DELETE /v1/auth/passkeys/:id': { stepUp: true, fresh: 'session' },
    'POST /v1/auth/passkeys/registration-options': { stepUp: true, fresh: 'session' },
    'POST /v1/auth/passkeys/sign-in': { body: { credential: staleCredential().used } },
    'POST /v1/auth/passkeys/sign-in-options': {},
  },
};

/** The form of a WebAuthn answer, for a registration and for a sign-in, with nothing genuine in it. */
function staleCredential() {
  const key = new Authenticator('https://nowhere.example');
  const challenge = randomBytes(32).toString('base64url');
  const created = key.create({ challenge, rp: { id: 'nowhere.example' }, user: { id: 'AA' } });
  return { created, used: key.get({ challenge, rpId: 'nowhere.example' }) };
}
