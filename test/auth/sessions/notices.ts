import type { NoticeRow } from '../notices/notices.parts.js';

export const noticeRows: readonly NoticeRow[] = [['authn_new_device', 'A sign-in from a new device', 'device']];
