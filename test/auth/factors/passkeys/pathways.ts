import { randomBytes } from 'node:crypto';
import { Authenticator } from '../../../support/authenticator.js';
import { publicUrl } from '../../forge.js';
import type { Attempt, Pathways } from '../../pathways.parts.js';

/** A key of one's own, and a challenge that the service never gave. */
const challenge = randomBytes(32).toString('base64url');
const rp = { id: 'localhost' };
const user = { id: randomBytes(16).toString('base64url') };
const key = ({ app }: Attempt) => new Authenticator(publicUrl(app));

export const pathways: Pathways = {
  'POST /v1/auth/passkeys': {
    body: (attempt) => ({ name: 'Mine', credential: key(attempt).create({ challenge, rp, user }) }),
  },
  'POST /v1/auth/passkeys/sign-in': {
    body: (attempt) => {
      const made = key(attempt);
      made.create({ challenge, rp, user });
      return { credential: made.get({ challenge, rpId: rp.id }) };
    },
    isFirstStep: true,
  },
};
