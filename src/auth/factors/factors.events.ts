import { declareNotice, secureAccount } from '../../common/events/notice-texts.js';
import { defineAction, type SecurityEvent } from '../../common/events/security-events.js';
import { labelOfFactor } from './second-factors.js';

type Told = Pick<SecurityEvent, 'details'>;

const labelOf = ({ details }: Told): string => labelOfFactor(String(details?.['factor'])) ?? 'a second factor';

/** A passkey needs no password; what somebody else has then is a copy of it. */
const refusalOf = ({ details }: Told): string =>
  details?.['reason'] === 'counter'
    ? 'Somebody used a copy of a passkey of your account, and it was refused. ' +
      'Delete that passkey, and register a new one.'
    : 'Somebody tried to use a second factor of your account, and it was refused. Your password may be known to them.';

export const factorAdded = declareNotice(
  defineAction('authn_factor_added'),
  secureAccount(
    'A second factor was added',
    (event) =>
      `You can now sign in with ${labelOf(event)}. If you did not add it, delete it: ` +
      'a new password alone does not take it away.',
  ),
);

export const factorRemoved = declareNotice(
  defineAction('authn_factor_removed'),
  secureAccount(
    'A second factor was removed',
    (event) => `To sign in with ${labelOf(event)} is no longer possible for your account.`,
  ),
);

export const factorFailed = declareNotice(defineAction('authn_factor_fail'), {
  ...secureAccount('A second factor was refused', refusalOf),
  refusal: true,
});
