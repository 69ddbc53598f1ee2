import type { NoticeRow } from '../notices/notices.parts.js';

const [made, until] = ['2026-05-01T10:00:00.000Z', '2026-06-01T10:00:00.000Z'];

export const noticeRows: readonly NoticeRow[] = [
  ['api_key_created', 'A new API key of your account', '2026-06-01', { until }],
  ['api_key_revoked', 'An API key of your account was revoked', '2026-05-01', { made }],
  ['api_key_runs_out', 'An API key of your account runs out soon', '2026-06-01', { made, until }],
];
