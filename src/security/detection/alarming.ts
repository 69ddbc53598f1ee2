import type { SecurityAction } from '../../common/events/security-events.js';

/** Which events nobody causes by mistake, and what each means to whoever has to act. */
const alarming = {
  crypt_decrypt_fail: 'A sealed value in the database did not open: somebody changed it there, or a key is missing.',
  authn_token_reuse: 'A refresh token was used twice: somebody holds a copy. The session was ended and its owner told.',
  authn_credential_in_clear:
    'Something that looks like a credential crossed the wire in clear. What was ours and can be revoked was; ' +
    'find the client that sends it over plain HTTP.',
  audit_write_fail:
    'An audit event could not be stored and was set aside: the log names it; ' +
    'find out who sent what the database does not take.',
  authz_change: 'The roles of an account were changed.',
} satisfies Partial<Record<SecurityAction, string>>;

/** Undefined for what is no alarm. A map, because an action named `constructor` must not find anything either. */
export const meaningOf = (action: SecurityAction): string | undefined => meanings.get(action);

const meanings: ReadonlyMap<string, string> = new Map(Object.entries(alarming));
