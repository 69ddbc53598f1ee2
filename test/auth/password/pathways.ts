import type { Pathways } from '../pathways.parts.js';

export const pathways: Pathways = {
  'POST /v1/auth/login': {
    body: ({ owner: { email, password } }) => ({ email, password }),
    isFirstStep: true,
    status: 200,
  },
};
