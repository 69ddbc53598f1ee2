import { TokenField } from '../../common/http/fields.js';
import { ViewField } from '../../common/http/view.js';

export class ProblemTypeParam {
  @TokenField({ max: 100 })
  type: string;
}

export class ProblemTypeView {
  @ViewField({ type: 'string', example: '/problems/not-found' })
  type: string;

  @ViewField({ type: 'string' })
  title: string;

  @ViewField({ type: 'integer', minimum: 400, maximum: 599 })
  status: number;

  @ViewField({ type: 'string', description: 'Why it is answered.' })
  cause: string;

  @ViewField({ type: 'string', description: 'What the caller can do about it.' })
  remedy: string;
}

export class ProblemTypeListView {
  @ViewField({ view: () => ProblemTypeView, many: true })
  items: ProblemTypeView[];
}
