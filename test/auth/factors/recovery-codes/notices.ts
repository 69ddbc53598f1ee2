import type { NoticeRow } from '../../notices/notices.parts.js';

export const noticeRows: readonly NoticeRow[] = [
  ['authn_recovery_codes_created', 'New recovery codes were made', 'All older ones'],
  ['authn_recovery_code_used', 'A recovery code was used', '7 are left', { left: 7 }],
];
