import type { Pathways } from '../../pathways.parts.js';

export const pathways: Pathways = {
  'POST /v1/auth/totp/confirm': { body: () => ({ code: '000000' }) },
  'POST /v1/auth/totp/verify': { body: () => ({ code: '000000' }) },
};
