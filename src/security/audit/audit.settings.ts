import { declareSettings, whole } from '../../config/index.js';

/** How long the trail is kept (retention.ts). */
export const auditSettings = declareSettings({
  AUDIT_REFUSALS_DAYS: {
    group: 'Audit (practice 10.4)',
    description:
      'How long audit events of refusals and failures are kept; npm run cli -- audit:prune deletes older ones. ' +
      'At least 30.',
    example: '90',
    fallback: 90,
    parse: whole(30, 36500),
  },
  AUDIT_CHANGES_DAYS: {
    group: 'Audit (practice 10.4)',
    description:
      'How long audit events of what was done (changes, sign-ins) are kept; ' +
      'npm run cli -- audit:prune deletes older ones. At least 30.',
    example: '400',
    fallback: 400,
    parse: whole(30, 36500),
  },
});
