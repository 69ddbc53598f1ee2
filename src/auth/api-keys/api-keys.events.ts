import { declareNotice, secureAccount } from '../../common/events/notice-texts.js';
import { defineAction, type SecurityEvent } from '../../common/events/security-events.js';

type Details = Pick<SecurityEvent, 'details'>['details'];

const day = (details: Details, name: string): string => String(details?.[name] ?? '').slice(0, 10);

export const apiKeyCreated = declareNotice(
  defineAction('api_key_created'),
  secureAccount(
    'A new API key of your account',
    ({ details }) =>
      `An API key was made that acts for your account until ${day(details, 'until')}. If you did not make it, delete ` +
      'it in the list of your API keys: a new password alone does not end it.',
  ),
);

const exposed =
  'was sent in a way in which others can read it: in an address, or over plain HTTP. It was revoked. ' +
  'Make a new one, and send it in the Authorization header over HTTPS only.';

export const apiKeyRevoked = declareNotice(
  defineAction('api_key_revoked'),
  secureAccount('An API key of your account was revoked', ({ details }) => {
    const what = details?.['reason'] === 'exposed' ? exposed : 'no longer opens anything.';
    return `The API key that was made on ${day(details, 'made')} ${what}`;
  }),
);

/** By an operator. */
export const apiKeyTierChanged = defineAction('api_key_tier_changed');

export const apiKeyRunsOut = declareNotice(
  defineAction('api_key_runs_out'),
  secureAccount(
    'An API key of your account runs out soon',
    ({ details }) =>
      `The API key that was made on ${day(details, 'made')} counts until ${day(details, 'until')}. Make its ` +
      'successor in time; both count for a while then.',
  ),
);
