import type { MatrixPart } from '../authorization/matrix.parts.js';

// Of an alert that is not there: alerts.test.ts acknowledges one that is.
export const matrix: MatrixPart = { calls: { 'GET /v1/alerts': {}, 'POST /v1/alerts/:id/acknowledge': {} } };
