import type { Pathways } from '../pathways.parts.js';

export const pathways: Pathways = {
  'POST /v1/auth/refresh': { body: ({ refreshToken }) => ({ refreshToken }), isFirstStep: true },
};
