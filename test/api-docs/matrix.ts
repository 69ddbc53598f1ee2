import type { MatrixPart } from '../security/authorization/matrix.parts.js';

export const matrix: MatrixPart = {
  calls: {
    'GET /docs': {},
    'GET /docs/pages.css': {},
    'GET /docs/pages.js': {},
    'GET /docs/start.js': {},
    'GET /docs/swagger-ui-bundle.js': {},
    'GET /docs/swagger-ui.css': {},
    'GET /openapi.json': {},
  },
};
