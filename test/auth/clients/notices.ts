import type { NoticeRow } from '../notices/notices.parts.js';

export const noticeRows: readonly NoticeRow[] = [
  ['authn_client_created', 'A program can act for you', 'within the scopes'],
  ['authn_client_keys_replaced', 'A program that acts for you has other keys', 'were replaced'],
];
