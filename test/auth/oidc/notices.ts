import type { NoticeRow } from '../notices/notices.parts.js';

export const noticeRows: readonly NoticeRow[] = [
  ['authn_identity_linked', 'Another service can sign you in', 'keycloak', { provider: 'keycloak' }],
  ['authn_identity_unlinked', 'Another service no longer signs you in', 'keycloak', { provider: 'keycloak' }],
];
