import type { MatrixPart } from '../../../../security/authorization/matrix.parts.js';

export const matrix: MatrixPart = {
  calls: {
    'GET /docs/passkeys': {},
    'GET /docs/passkeys.js': {},
  },
};
