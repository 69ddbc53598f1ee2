import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsString, Matches, MaxLength } from 'class-validator';
import { machineScopes } from '../../common/access/access.decorators.js';
import { machineTiers, type MachineTier } from '../../common/access/principal.js';
import { PageQuery } from '../../common/http/cursors.js';
import {
  Base64UrlField,
  ChoiceField,
  ChoicesField,
  FlagField,
  IdField,
  NestedField,
  OptionalField,
  TextField,
  TokenField,
} from '../../common/http/fields.js';

/** RSA of 4096 bits. */
const maxMember = 700;

/** RFC 7517. There is no field for a private member, and unknown fields are refused: no secret arrives here. */
export class PublicJwk {
  @ChoiceField(['EC', 'OKP', 'RSA'])
  kty: 'EC' | 'OKP' | 'RSA';

  @TokenField({ max: 100 })
  kid: string;

  @OptionalField()
  @ChoiceField(['P-256', 'Ed25519'])
  crv?: string;

  @OptionalField()
  @Base64UrlField({ max: maxMember })
  x?: string;

  @OptionalField()
  @Base64UrlField({ max: maxMember })
  y?: string;

  @OptionalField()
  @Base64UrlField({ max: maxMember })
  n?: string;

  @OptionalField()
  @Base64UrlField({ max: 8 })
  e?: string;
}

export class ClientKeys {
  /** The public key by which the client proves who it is. */
  @NestedField(() => PublicJwk)
  key: PublicJwk;

  /** A second one that counts as well: for a change of keys without an interruption. */
  @OptionalField()
  @NestedField(() => PublicJwk)
  nextKey?: PublicJwk;
}

const certificateName =
  /^(dns:[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63}){0,9}|uri:[a-z][a-z0-9+.-]{0,30}:[\x21-\x7e]{1,500})$/;

/** As certificates have it among their alternative names. A common name is nobody's promise (RFC 9525 s2). */
const CertificateNameField = () =>
  applyDecorators(
    ApiProperty({
      type: 'string',
      maxLength: 560,
      pattern: certificateName.source,
      example: 'uri:spiffe://example.org/lab',
    }),
    IsString(),
    MaxLength(560),
    Matches(certificateName),
  );

export class CreateClient {
  /** The public key by which the client proves who it is. */
  @OptionalField()
  @NestedField(() => PublicJwk)
  key?: PublicJwk;

  @OptionalField()
  @NestedField(() => PublicJwk)
  nextKey?: PublicJwk;

  /**
   * Instead of a key: the name in its certificates (RFC 8705 s2.1), which a CA of `MTLS_CA_FILE` has signed. Its tokens
   * are bound to the certificate by which it gets them.
   */
  @OptionalField()
  @CertificateNameField()
  certificate?: string;

  @TextField({ min: 1, max: 100, example: 'Laboratory analyser' })
  name: string;

  /** The account whose rights the client has, at most. */
  @IdField()
  ownerId: string;

  /** Permissions of routes that are open to machines. */
  @ChoicesField(machineScopes)
  scopes: string[];

  /** Tokens are bound to a key of the client (RFC 9449), and stolen ones worth nothing. */
  @OptionalField()
  @FlagField()
  requiresDpop?: boolean;

  @OptionalField()
  @ChoiceField(machineTiers)
  tier?: MachineTier;
}

export class ListClients extends PageQuery {}

const ParameterField = (max: number) =>
  applyDecorators(
    ApiProperty({ type: 'string', required: false, maxLength: max, pattern: '^[\\x20-\\x7e]*$' }),
    OptionalField(),
    IsString(),
    MaxLength(max),
    Matches(/^[\x20-\x7e]*$/),
  );

/** How a client proves who it is: RFC 7521 s4.2. What is missing or wrong is answered as RFC 6749 s5.2 says. */
class ClientProof {
  @ParameterField(100)
  client_id?: string;

  @ParameterField(100)
  client_assertion_type?: string;

  @ParameterField(4096)
  client_assertion?: string;
}

/** RFC 6749 s4.4.2, RFC 8707. */
export class TokenRequest extends ClientProof {
  @ParameterField(100)
  grant_type?: string;

  @ParameterField(4096)
  scope?: string;

  @ParameterField(512)
  resource?: string;
}

/** RFC 7662 s2.1, RFC 7009 s2.1. There is one kind of token, so what kind it is need not be said. */
export class PresentedToken extends ClientProof {
  @ParameterField(4096)
  token?: string;
}

const proofFields = ['client_id', 'client_assertion_type', 'client_assertion'];
export const tokenFields = [...proofFields, 'grant_type', 'scope', 'resource'];
export const presentedFields = [...proofFields, 'token'];
