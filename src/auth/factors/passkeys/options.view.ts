import { ViewField } from '../../../common/http/view.js';

// PublicKeyCredentialCreationOptionsJSON and PublicKeyCredentialRequestOptionsJSON (WebAuthn Level 3 s5.1.8, s5.1.9),
// for PublicKeyCredential.parseCreationOptionsFromJSON() and parseRequestOptionsFromJSON().

const text = { type: 'string' } as const;
const bytes = { type: 'string', description: 'base64url.' } as const;

export class RelyingPartyView {
  @ViewField(text)
  id: string;

  @ViewField(text)
  name: string;
}

export class PasskeyUserView {
  @ViewField(bytes)
  id: string;

  @ViewField(text)
  name: string;

  @ViewField(text)
  displayName: string;
}

export class CredentialParameterView {
  @ViewField(text)
  type: string;

  @ViewField({ type: 'integer', description: 'COSE algorithm.' })
  alg: number;
}

export class KnownCredentialView {
  @ViewField(text)
  type: string;

  @ViewField(bytes)
  id: string;

  @ViewField({ type: 'array', items: text })
  transports: string[];
}

export class AuthenticatorSelectionView {
  @ViewField(text)
  residentKey: string;

  @ViewField({ type: 'boolean' })
  requireResidentKey: boolean;

  @ViewField(text)
  userVerification: string;
}

export class RegistrationOptionsView {
  @ViewField(bytes)
  challenge: string;

  @ViewField({ view: () => RelyingPartyView })
  rp: RelyingPartyView;

  @ViewField({ view: () => PasskeyUserView })
  user: PasskeyUserView;

  @ViewField({ view: () => CredentialParameterView, many: true })
  pubKeyCredParams: CredentialParameterView[];

  @ViewField({ type: 'integer', description: 'Milliseconds.' })
  timeout: number;

  @ViewField({ view: () => KnownCredentialView, many: true })
  excludeCredentials: KnownCredentialView[];

  @ViewField({ view: () => AuthenticatorSelectionView })
  authenticatorSelection: AuthenticatorSelectionView;

  @ViewField(text)
  attestation: string;
}

export class SignInOptionsView {
  @ViewField(bytes)
  challenge: string;

  @ViewField(text)
  rpId: string;

  @ViewField({ type: 'integer', description: 'Milliseconds.' })
  timeout: number;

  @ViewField(text)
  userVerification: string;
}
