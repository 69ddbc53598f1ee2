import type { Pathways } from '../../pathways.parts.js';

export const pathways: Pathways = {
  'POST /v1/auth/recovery-codes/verify': { body: () => ({ code: 'AAAAA-AAAAA-AAAAA-AAAAA-AAAAA' }) },
};
