import type { SecurityAction, SecurityEvent } from '../../common/security-events.js';

/** What one action tells the person concerned. */
export interface NoticeText {
  readonly subject: string;
  /** One sentence, from what the event says; ids and addresses stay out of it. */
  readonly what: (event: Pick<SecurityEvent, 'details'>) => string;
  /** Whoever made the change may have the account; others can only be asked. */
  readonly advice: 'secure-account' | 'ask-operator';
  /** The event is about a session; its person is the actor. */
  readonly toActor?: true;
  /** A refusal: nothing was changed, so there is no transaction to be part of. At most one mail an hour, or guessing would flood a mailbox. */
  readonly refusal?: true;
}

const factorNames: Readonly<Record<string, string>> = { 'totp': 'an authenticator app', 'passkey': 'a passkey', 'recovery-code': 'recovery codes' };

const factorOf = ({ details }: Pick<SecurityEvent, 'details'>): string => factorNames[String(details?.['factor'])] ?? 'a second factor';

/** A passkey needs no password; what somebody else has then is a copy of it. */
const refusalOf = ({ details }: Pick<SecurityEvent, 'details'>): string =>
  details?.['reason'] === 'counter'
    ? 'Somebody used a copy of a passkey of your account, and it was refused. Delete that passkey, and register a new one.'
    : 'Somebody tried to use a second factor of your account, and it was refused. Your password may be known to them.';

const secure = (subject: string, what: NoticeText['what'] | string): NoticeText => ({
  subject,
  what: typeof what === 'string' ? () => what : what,
  advice: 'secure-account',
});

const byOperator = (subject: string, what: string): NoticeText => ({ subject, what: () => what, advice: 'ask-operator' });

/** Which changes people are told of, and how (ASVS v5.0.0-6.3.5, 6.3.7). An action that is not listed sends nothing. */
const texts = {
  authn_password_change: secure('Your password was changed', 'The password of your account was changed, and all other sessions were ended.'),
  authn_password_reset: secure('Your password was reset', 'The password of your account was reset with a token from a mail, and all sessions were ended.'),
  authn_reset_forced: byOperator('Please choose a new password', 'An administrator has asked you to reset the password of your account. Until then neither it nor a passkey signs anybody in. Afterwards sign in, and delete every passkey and authenticator app that you do not know.'),
  authn_factor_added: secure(
    'A second factor was added',
    (event) => `You can now sign in with ${factorOf(event)}. If you did not add it, delete it: a new password alone does not take it away.`,
  ),
  authn_factor_removed: secure('A second factor was removed', (event) => `To sign in with ${factorOf(event)} is no longer possible for your account.`),
  authn_factor_fail: {
    ...secure('A second factor was refused', refusalOf),
    refusal: true,
  },
  authn_recovery_codes_created: secure('New recovery codes were made', 'New recovery codes were made for your account. All older ones are worth nothing now.'),
  authn_recovery_code_used: secure('A recovery code was used', (event) => `A recovery code of your account was used. ${leftOf(event)}`),
  authn_new_device: secure('A sign-in from a new device', newDevice),
  authn_token_reuse: {
    ...secure(
      'You were signed out for your safety',
      'An old sign-in of your account was used a second time. It may have been copied, so that session was ended. Please sign in again.',
    ),
    toActor: true,
  },
  authz_change: byOperator('Your roles were changed', 'The roles of your account were changed by an administrator.'),
  user_email_changed: secure('Your e-mail address was changed', 'The e-mail address of your account was changed, and all sessions were ended.'),
  user_disabled: byOperator('Your account was disabled', 'Your account was disabled by an administrator. Nobody can sign in to it.'),
  user_enabled: byOperator('Your account was enabled again', 'Your account was enabled again by an administrator.'),
  user_deleted: byOperator('Your account was erased', 'Your account and its data were erased. This is the last message to this address.'),
} satisfies Partial<Record<SecurityAction, NoticeText>>;

export type NoticeAction = keyof typeof texts;

const byAction: ReadonlyMap<string, NoticeText> = new Map(Object.entries(texts));

export const noticeText = (action: SecurityAction): NoticeText | undefined => byAction.get(action);

/** A passkey tells nothing of the device that it is used on: what is new is the passkey. */
function newDevice({ details }: Pick<SecurityEvent, 'details'>): string {
  const what = details?.['method'] === 'passkey' ? 'with a passkey' : 'on a device';
  return `Somebody signed in to your account ${what} that was not used for it before.`;
}

function leftOf({ details }: Pick<SecurityEvent, 'details'>): string {
  const left = details?.['left'];
  return typeof left === 'number' ? `Of the others, ${left} are left.` : 'It does not work again.';
}
