import {
  Base64UrlField,
  ChoiceField,
  FlagField,
  KnownChoicesField,
  NestedField,
  OptionalField,
  TextField,
  UnreadField,
} from '../../../common/http/fields.js';

// The JSON of PublicKeyCredential.toJSON() (WebAuthn Level 3 s5.1.6.1). What is signed is read; copies beside it are
// not: whoever takes the `publicKey` or `authenticatorData` that stand next to the attestation object takes what nobody
// has signed.

/** 16 to 1,023 bytes: what WebAuthn allows (Level 3 s4, "Credential ID"). */
const CredentialIdField = () => Base64UrlField({ min: 22, max: 1364 });
const ClientDataField = () => Base64UrlField({ max: 4000 });
const CredentialTypeField = () => ChoiceField(['public-key']);

const transports = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'] as const;

export class AttestationResponse {
  @ClientDataField()
  clientDataJSON: string;

  @Base64UrlField({ max: 16_000 })
  attestationObject: string;

  @OptionalField()
  /** Browsers may know words that we do not (WebAuthn Level 3 s5.2.1). */
  @KnownChoicesField(transports)
  transports?: (typeof transports)[number][];

  @UnreadField()
  authenticatorData?: undefined;

  @UnreadField()
  publicKey?: undefined;

  @UnreadField()
  publicKeyAlgorithm?: undefined;
}

/** What `navigator.credentials.create()` gave. */
export class NewCredential {
  @CredentialIdField()
  id: string;

  @CredentialIdField()
  rawId: string;

  @CredentialTypeField()
  type: 'public-key';

  @NestedField(() => AttestationResponse)
  response: AttestationResponse;

  @UnreadField()
  authenticatorAttachment?: undefined;

  @UnreadField()
  clientExtensionResults?: undefined;
}

export class AssertionResponse {
  @ClientDataField()
  clientDataJSON: string;

  @Base64UrlField({ max: 4000 })
  authenticatorData: string;

  @Base64UrlField({ max: 2000 })
  signature: string;

  /** Whose passkey it is, as the authenticator remembers: at most 64 bytes. */
  @Base64UrlField({ max: 86 })
  userHandle: string;

  @UnreadField()
  attestationObject?: undefined;
}

/** What `navigator.credentials.get()` gave. */
export class UsedCredential {
  @CredentialIdField()
  id: string;

  @CredentialIdField()
  rawId: string;

  @CredentialTypeField()
  type: 'public-key';

  @NestedField(() => AssertionResponse)
  response: AssertionResponse;

  @UnreadField()
  authenticatorAttachment?: undefined;

  @UnreadField()
  clientExtensionResults?: undefined;
}

export class SignInByPasskey {
  @NestedField(() => UsedCredential)
  credential: UsedCredential;

  /** The refresh token goes into a cookie that scripts cannot read, and not into the answer. */
  @OptionalField()
  @FlagField()
  inBrowser?: boolean;
}

const PasskeyNameField = () => TextField({ min: 1, max: 100, example: 'Blue laptop' });

export class RegisterPasskey {
  @PasskeyNameField()
  name: string;

  @NestedField(() => NewCredential)
  credential: NewCredential;
}

export class RenamePasskey {
  @PasskeyNameField()
  name: string;
}
