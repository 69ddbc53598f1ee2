import type { NoticeRow } from '../../notices/notices.parts.js';

export const noticeRows: readonly NoticeRow[] = [
  ['authn_factor_added', 'A second factor was added', 'a passkey', { factor: 'passkey' }],
  ['authn_factor_removed', 'A second factor was removed', 'a passkey', { factor: 'passkey' }],
];
