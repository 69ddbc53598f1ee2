import { OptionalField, TokenField } from '../../common/fields.js';

export class Refresh {
  /** Left out in browser mode: the cookie has it. */
  @OptionalField()
  @TokenField({ max: 1000 })
  refreshToken?: string;
}
