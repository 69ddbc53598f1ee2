import { askOperator, declareNotice } from '../../common/events/notice-texts.js';
import { defineAction } from '../../common/events/security-events.js';

/** Whoever makes a client for somebody, or has its keys, can do what that person can: the person is told. */
export const clientCreated = declareNotice(
  defineAction('authn_client_created'),
  askOperator(
    'A program can act for you',
    'An administrator has registered a program that can act for your account, within the scopes that it was given.',
  ),
);

export const clientKeysReplaced = declareNotice(
  defineAction('authn_client_keys_replaced'),
  askOperator(
    'A program that acts for you has other keys',
    'The keys of a program that can act for you were replaced.',
  ),
);

export const clientEnabled = defineAction('authn_client_enabled');
export const clientDisabled = defineAction('authn_client_disabled');
export const clientDeleted = defineAction('authn_client_deleted');
