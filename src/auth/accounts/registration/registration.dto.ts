import { EmailField, PersonNameField, TokenField } from '../../../common/http/fields.js';
import { ViewField } from '../../../common/http/view.js';
import { NewPasswordField } from '../../password/password-policy.js';

/** Neither password nor name here: whoever signs up with somebody else's address would choose them (pre-hijacking). */
export class Register {
  @EmailField()
  email: string;
}

export class Resend {
  @EmailField()
  email: string;
}

export class VerifyEmail {
  @TokenField({ max: 100 })
  token: string;

  @NewPasswordField()
  password: string;

  @PersonNameField()
  name: string;
}

export class RegistrationView {
  @ViewField({ type: 'string' })
  message: string;
}

export class VerifiedView {
  @ViewField({ type: 'string', format: 'uuid', description: 'The id of the new user.' })
  id: string;
}
