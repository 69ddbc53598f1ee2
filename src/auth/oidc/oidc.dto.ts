import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsString, Matches, MaxLength } from 'class-validator';
import { FlagField, OptionalField } from '../../common/http/fields.js';

const providerName = /^[a-z][a-z0-9]{0,29}$/;

/** The provider of the path. */
export class ProviderParam {
  @ApiProperty({ type: 'string', pattern: providerName.source, example: 'keycloak' })
  @IsString()
  @Matches(providerName)
  provider: string;
}

/** A path of this host: no scheme, no `//`, no backslash, nothing that a browser strips first (ASVS v5.0.0-3.7.2). */
const pathHere = /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/;

const PathHereField = () =>
  applyDecorators(
    ApiProperty({ type: 'string', maxLength: 512, pattern: '^/', example: '/', default: '/' }),
    IsString(),
    MaxLength(512),
    Matches(pathHere, { message: '$property must be a path of this host, such as /home' }),
  );

export class StartSignIn {
  /** Where the browser goes at the end: a path of this host. */
  @OptionalField()
  @PathHereField()
  returnTo?: string;

  /** The person signs in at the provider anew, for what demands a fresh proof. */
  @OptionalField()
  @ApiProperty({ type: 'string', enum: ['true'] })
  @Matches(/^true$/)
  fresh?: 'true';
}

export class StartLink {
  @OptionalField()
  @PathHereField()
  returnTo?: string;
}

export class FinishSignIn {
  /** The refresh token goes into a cookie that scripts cannot read. */
  @OptionalField()
  @FlagField()
  inBrowser?: boolean;
}

/** OpenID Connect Back-Channel Logout 1.0 s2.5. */
export class ProviderLogout {
  @ApiProperty({ type: 'string', maxLength: 8192, pattern: '^[A-Za-z0-9_.-]+$' })
  @IsString()
  @MaxLength(8192)
  @Matches(/^[A-Za-z0-9_.-]+$/)
  logout_token: string;
}
