import { TokenField } from '../../../common/http/fields.js';
import { ViewField } from '../../../common/http/view.js';

export class ProveRecoveryCode {
  @TokenField({ max: 40 })
  code: string;
}

export class RecoveryCodesView {
  @ViewField({
    type: 'array',
    items: { type: 'string' },
    description: 'Each signs in once. They are shown now and never again.',
  })
  codes: string[];
}

export class RecoveryCodesStateView {
  @ViewField({ type: 'integer', description: 'How many are not used yet.' })
  left: number;

  @ViewField({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description: 'When they were made; null when there never were any.',
  })
  createdAt: Date | null;
}
