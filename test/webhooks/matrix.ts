import type { MatrixPart } from '../security/authorization/matrix.parts.js';

const body = { type: 'paid', data: { id: 'pay_1' } };

export const matrix: MatrixPart = {
  calls: {
    'POST /v1/webhooks/payments': { body },
    'POST /v1/webhooks/forge': { body },
    'POST /v1/webhooks/ledger': { body },
    'POST /v1/webhooks/few': { body },
  },
};
