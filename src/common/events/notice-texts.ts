import type { SecurityAction, SecurityEvent } from './security-events.js';

/** What one action tells the person concerned. */
export interface NoticeText {
  readonly subject: string;
  /** One sentence, from what the event says; ids and addresses stay out of it. */
  readonly what: (event: Pick<SecurityEvent, 'details'>) => string;
  /** Whoever made the change may have the account; others can only be asked. */
  readonly advice: 'secure-account' | 'ask-operator';
  /** The event is about a session; its person is the actor. */
  readonly toActor?: true;
  /**
   * A refusal: nothing was changed, so there is no transaction to be part of. At most one mail an hour, or guessing
   * would flood a mailbox.
   */
  readonly refusal?: true;
}

type What = NoticeText['what'] | string;

const text = (subject: string, what: What, advice: NoticeText['advice']): NoticeText => ({
  subject,
  what: typeof what === 'string' ? () => what : what,
  advice,
});

export const secureAccount = (subject: string, what: What): NoticeText => text(subject, what, 'secure-account');
export const askOperator = (subject: string, what: What): NoticeText => text(subject, what, 'ask-operator');

const texts = new Map<string, NoticeText>();

/**
 * People are told of such changes of their account (ASVS v5.0.0-6.3.5, 6.3.7). An action without a text tells nobody.
 * @throws Error when the action has a text already.
 */
export function declareNotice<Action extends SecurityAction>(action: Action, notice: NoticeText): Action {
  if (texts.has(action)) throw new Error(`the notice of ${action} is declared twice`);
  texts.set(action, notice);
  return action;
}

/** @public: every user of it can be removed. */
export const noticeText = (action: string): NoticeText | undefined => texts.get(action);
