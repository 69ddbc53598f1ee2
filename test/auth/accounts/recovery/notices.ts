import type { NoticeRow } from '../../notices/notices.parts.js';

export const noticeRows: readonly NoticeRow[] = [['authn_password_reset', 'Your password was reset', 'password']];
