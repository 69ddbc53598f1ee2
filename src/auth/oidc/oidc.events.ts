import { declareNotice, secureAccount } from '../../common/events/notice-texts.js';
import { defineAction } from '../../common/events/security-events.js';

export const identityLinked = declareNotice(
  defineAction('authn_identity_linked'),
  secureAccount(
    'Another service can sign you in',
    ({ details }) =>
      `Your account can now be opened by your account at ${String(details?.['provider'])}. If you did not link it, ` +
      'take it away: a new password alone does not.',
  ),
);

export const identityUnlinked = declareNotice(
  defineAction('authn_identity_unlinked'),
  secureAccount(
    'Another service no longer signs you in',
    ({ details }) => `Your account at ${String(details?.['provider'])} no longer opens your account here.`,
  ),
);
