import type { NoticeRow } from '../notices/notices.parts.js';

export const noticeRows: readonly NoticeRow[] = [['authn_password_change', 'Your password was changed', 'password']];
