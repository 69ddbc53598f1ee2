import type { MatrixPart } from '../../../security/authorization/matrix.parts.js';

export const matrix: MatrixPart = {
  calls: {
    'GET /docs/oidc': {},
    'GET /docs/oidc.js': {},
  },
};
