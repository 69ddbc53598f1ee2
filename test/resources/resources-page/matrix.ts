import type { MatrixPart } from '../../security/authorization/matrix.parts.js';

export const matrix: MatrixPart = {
  calls: {
    'GET /docs/marked.js': {},
    'GET /docs/purify.js': {},
    'GET /docs/resources': {},
    'GET /docs/resources.js': {},
  },
};
