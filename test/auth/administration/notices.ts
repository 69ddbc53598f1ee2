import type { NoticeRow } from '../notices/notices.parts.js';

export const noticeRows: readonly NoticeRow[] = [
  ['authn_reset_forced', 'Please choose a new password', 'administrator'],
  ['user_disabled', 'Your account was disabled', 'administrator'],
  ['user_enabled', 'Your account was enabled again', 'administrator'],
];
