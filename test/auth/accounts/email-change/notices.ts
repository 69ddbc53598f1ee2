import type { NoticeRow } from '../../notices/notices.parts.js';

export const noticeRows: readonly NoticeRow[] = [['user_email_changed', 'Your e-mail address was changed', 'address']];
