import { DigitsField } from '../../../common/http/fields.js';
import { ViewField } from '../../../common/http/view.js';
import { TokensView } from '../../sessions/sessions.dto.js';

export class TotpCode {
  @DigitsField({ length: 6 })
  code: string;
}

export class TotpEnrolmentView {
  @ViewField({ type: 'string', description: 'Base32, for people who cannot scan. Shown now and never again.' })
  secret: string;

  @ViewField({ type: 'string', description: 'otpauth: address with the secret.' })
  uri: string;

  @ViewField({
    type: 'string',
    description: 'The address as a QR code: `data:` address of an SVG image, for the `src` of an `img`.',
  })
  qrCode: string;
}

export class TotpConfirmedView {
  @ViewField({
    type: 'array',
    items: { type: 'string' },
    nullable: true,
    description:
      'Recovery codes, shown now and never again. Null when another factor was enrolled before, and its codes go on.',
  })
  recoveryCodes: string[] | null;

  @ViewField({
    view: () => TokensView,
    nullable: true,
    description:
      'The whole sign-in of somebody who had to enrol a factor first. Null: the access token that was sent goes on.',
  })
  tokens: TokensView | null;
}
