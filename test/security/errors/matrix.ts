import type { MatrixPart } from '../../security/authorization/matrix.parts.js';

export const matrix: MatrixPart = {
  calls: { 'GET /problems': {}, 'GET /problems/:type': { on: () => ({ id: 'not-found' }) } },
};
