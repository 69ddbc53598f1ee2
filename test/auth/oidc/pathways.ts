import type { Pathways } from '../pathways.parts.js';

export const pathways: Pathways = {
  // Without the cookie of a browser that has been at the provider.
  'POST /v1/auth/oidc/sign-in': { body: () => ({}), isFirstStep: true, status: 400 },
};
