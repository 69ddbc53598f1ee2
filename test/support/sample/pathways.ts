import type { Pathways } from '../../auth/pathways.parts.js';
import { wrongCode } from '../second-factors.js';

export const pathways: Pathways = {
  // A second factor that is there already is not replaced by whoever has not proved it.
  'POST /v1/auth/sample-factor': { body: () => ({ code: wrongCode }) },
  'POST /v1/auth/sample-factor/verify': { body: () => ({ code: wrongCode }) },
};
