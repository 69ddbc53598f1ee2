import type { NoticeRow } from '../../notices/notices.parts.js';

export const noticeRows: readonly NoticeRow[] = [
  ['authn_factor_added', 'A second factor was added', 'an authenticator app', { factor: 'totp' }],
  ['authn_factor_removed', 'A second factor was removed', 'an authenticator app', { factor: 'totp' }],
];
