import { applyDecorators, type Type as Class } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import {
  Allow,
  IsBoolean,
  IsEmail,
  IsIn,
  IsInt,
  IsString,
  Matches,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { isPlainAddress } from '../mail-address.js';
import { hasTooManyMarks, normalise, normaliseEmail } from '../normalisation.js';

// One decorator per kind of input: it normalises, validates and documents, so that the three can never disagree.

// Control characters forge log lines and mail headers; embeddings, overrides and isolates make a text read as another
// one (Trojan Source). The implicit marks U+200E, U+200F and U+061C cannot do that, and editors for Hebrew and Arabic
// write them.
const unsafeInLine = /[\p{Cc}\u202a-\u202e\u2066-\u2069\ufeff\u2028\u2029]/u;
const unsafeInText = /(?![\n\t])[\p{Cc}\u202a-\u202e\u2066-\u2069\ufeff]/u;

// What leaves something on the page: neither white space, nor a mark by itself, nor a character that is made to be
// ignored (among them the Hangul fillers, which are letters), nor the blank Braille pattern. What Unicode does not know
// yet shows as a box.
const visible = /(?!\p{Default_Ignorable_Code_Point})[\p{L}\p{N}\p{P}\p{S}\p{Co}\p{Cn}](?<!\u2800)/u;

/** Written by a client, a text of this form could be taken for a sealed cell of field encryption. */
const cellPrefix = 'enc:v1:';

const normalised = (clean: (text: string) => string) =>
  Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? clean(value) : value));

/** Length in code points, as PostgreSQL's char_length counts. */
const HasLength = (min: number, max: number) =>
  ValidateBy({
    name: 'hasLength',
    validator: {
      validate: (value: unknown) => {
        if (typeof value !== 'string' || value.length > max * 2) return false;
        const length = [...value].length;
        return length >= min && length <= max;
      },
      defaultMessage: () => `$property must have ${min} to ${max} characters`,
    },
  });

/** A name that nobody can see passes for a missing one, or for that of somebody else. */
const IsVisible = () =>
  ValidateBy({
    name: 'isVisible',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && visible.test(value),
      defaultMessage: () => '$property must have a character that can be seen',
    },
  });

/** What mail can be sent to: no quoted local part, which the mailer refuses as an address of several. */
const IsPlainAddress = () =>
  ValidateBy({
    name: 'isPlainAddress',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && isPlainAddress(value),
      defaultMessage: () => '$property must be an email without quotes or lists',
    },
  });

const IsSafeText = (unsafe: RegExp) =>
  ValidateBy({
    name: 'isSafeText',
    validator: {
      validate: (value: unknown) =>
        typeof value === 'string' &&
        value.isWellFormed() &&
        !unsafe.test(value) &&
        !hasTooManyMarks(value) &&
        !value.startsWith(cellPrefix),
      defaultMessage: () =>
        '$property must not contain control or direction characters, nor more than 30 combining marks in a row',
    },
  });

export interface TextLimits {
  /** Code points. */
  readonly min: number;
  /** Code points. */
  readonly max: number;
  readonly example?: string;
  /** Line feeds and tabs are allowed, and white space at the ends is kept. */
  readonly multiline?: boolean;
}

// Browsers on Windows and form encodings send CR LF; stored is one form, so that lengths and searches agree.
const normaliseLines = (text: string): string => normalise(text.replace(/\r\n?/g, '\n'));

/**
 * Human text: NFC, without control and direction characters. One line is trimmed; in several lines each line ends with
 * LF, however it was sent.
 * With a minimum length, one character at least can be seen.
 */
export function TextField({ min, max, example, multiline = false }: TextLimits): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: 'string', minLength: min, maxLength: max, example }),
    normalised((text) => (multiline ? normaliseLines(text) : normalise(text).trim())),
    IsString(),
    HasLength(min, max),
    IsSafeText(multiline ? unsafeInText : unsafeInLine),
    ...(min > 0 ? [IsVisible()] : []),
  );
}

/** The name of a person: 1 to 100 characters of any script. */
export const PersonNameField = () => TextField({ min: 1, max: 100, example: 'Alice Example' });

/**
 * An e-mail address of at most 254 characters, NFC, trimmed and lower-cased, so that one mailbox has one blind index.
 */
export const EmailField = () =>
  applyDecorators(
    ApiProperty({ type: 'string', format: 'email', maxLength: 254, example: 'alice@example.org' }),
    normalised(normaliseEmail),
    IsString(),
    HasLength(3, 254),
    IsPlainAddress(),
    IsEmail(),
    IsSafeText(unsafeInLine),
  );

/** A telephone number in E.164 form, for example +441632960961. */
export const PhoneField = () =>
  applyDecorators(
    ApiProperty({ type: 'string', pattern: String.raw`^\+[1-9][0-9]{6,14}$`, example: '+441632960961' }),
    IsString(),
    Matches(/^\+[1-9][0-9]{6,14}$/),
  );

/** A secret as it was sent, byte for byte: never trimmed, folded or normalised (ASVS v5.0.0-6.2.8). Code points. */
export const SecretField = ({ min, max }: { min: number; max: number }) =>
  applyDecorators(
    ApiProperty({ type: 'string', format: 'password', minLength: min, maxLength: max }),
    IsString(),
    HasLength(min, max),
  );

/** True or false. */
export const FlagField = () => applyDecorators(ApiProperty({ type: 'boolean' }), IsBoolean());

/** One of the words. */
export const ChoiceField = (choices: readonly string[], fallback?: string) =>
  applyDecorators(
    ApiProperty({ type: 'string', enum: [...choices], default: fallback, required: fallback === undefined }),
    IsIn([...choices]),
  );

/** A list of distinct words out of the choices, to which features may add while their files are loaded. */
export const ChoicesField = (choices: readonly string[]) =>
  applyDecorators(
    ApiProperty({
      type: 'array',
      items: { type: 'string', enum: choices as string[] },
      uniqueItems: true,
      maxItems: choices.length,
    }),
    ValidateBy({
      name: 'isChoices',
      validator: {
        validate: (value: unknown) =>
          Array.isArray(value) &&
          new Set(value).size === value.length &&
          value.every((item) => choices.includes(item as string)),
        defaultMessage: () => `$property must be a list of distinct values out of: ${choices.join(', ')}`,
      },
    }),
  );

/** The same, for a list of words that grows without us: those that we do not know are dropped. */
export const KnownChoicesField = (choices: readonly string[]) =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      Array.isArray(value)
        ? value.filter((item: unknown) => typeof item !== 'string' || choices.includes(item))
        : value,
    ),
    ChoicesField(choices),
    ApiProperty({
      items: { type: 'string' },
      maxItems: undefined,
      description: `Others than ${choices.join(', ')} are dropped.`,
    }),
  );

export interface WholeLimits {
  readonly min: number;
  readonly max: number;
  /** What counts when the parameter is left out. */
  readonly fallback?: number;
}

/** A whole number in a query string: decimal digits only, so that `1e9`, `0x10` and ` 5` have no meaning. */
export const WholeQueryField = ({ min, max, fallback }: WholeLimits) =>
  applyDecorators(
    ApiProperty({ type: 'integer', minimum: min, maximum: max, default: fallback, required: fallback === undefined }),
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' && /^(0|[1-9]\d{0,8})$/.test(value) ? Number(value) : value,
    ),
    IsInt(),
    Min(min),
    Max(max),
  );

export const idPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** A UUIDv7 in its one canonical form, lower case with hyphens: one object has one spelling (abuse case A1-8). */
export const IdField = () =>
  applyDecorators(ApiProperty({ type: 'string', format: 'uuid' }), IsString(), Matches(idPattern));

/** An opaque token of the given alphabet, at most `max` characters. */
export const TokenField = ({ max }: { max: number }) =>
  applyDecorators(
    ApiProperty({ type: 'string', maxLength: max, pattern: '^[A-Za-z0-9_.-]+$' }),
    IsString(),
    HasLength(1, max),
    Matches(/^[A-Za-z0-9_.-]+$/),
  );

/** Exactly so many decimal digits, as text: a zero in front counts. */
export const DigitsField = ({ length }: { length: number }) =>
  applyDecorators(
    ApiProperty({ type: 'string', pattern: `^[0-9]{${length}}$`, example: '0'.repeat(length) }),
    IsString(),
    Matches(new RegExp(`^[0-9]{${length}}$`)),
  );

/** Bytes in base64url without padding (RFC 4648 s5), `min` to `max` characters. */
export const Base64UrlField = ({ min = 1, max }: { min?: number; max: number }) =>
  applyDecorators(
    ApiProperty({ type: 'string', minLength: min, maxLength: max, pattern: '^[A-Za-z0-9_-]+$' }),
    IsString(),
    HasLength(min, max),
    Matches(/^[A-Za-z0-9_-]+$/),
  );

const NESTED_DTO = 'nested-dto';

/** The DTO class of a field with `@NestedField`; undefined for any other field. */
export const nestedDto = (dto: Function, field: string) =>
  (Reflect.getMetadata(NESTED_DTO, dto.prototype as object, field) as (() => Class<object>) | undefined)?.();

/** One object with the fields of another DTO class, and no other. */
export const NestedField = (dto: () => Class<object>) =>
  applyDecorators(
    Reflect.metadata(NESTED_DTO, dto),
    // @nestjs/swagger knows a class to come by the name of the function.
    ApiProperty({ type: () => dto() }),
    Type(dto),
    // A list of such objects would pass `ValidateNested`, item by item.
    ValidateBy({
      name: 'isObject',
      validator: {
        validate: (value: unknown) => value instanceof dto(),
        defaultMessage: () => '$property must be an object',
      },
    }),
    ValidateNested(),
  );

/** What standard clients send along and the service does not read: taken in any form, and dropped. */
export const UnreadField = () =>
  applyDecorators(
    ApiProperty({
      type: 'object',
      additionalProperties: true,
      selfRequired: false,
      description: 'Taken in any form, and not read.',
    }),
    Transform(() => undefined),
    Allow(),
  );

/** May be left out. `null` is no way to leave it out. Stands above the other decorator. */
export const OptionalField = () =>
  applyDecorators(
    ApiProperty({ required: false }),
    ValidateIf((_: object, value: unknown) => value !== undefined),
  );

/** May be left out, or `null`, which clears the value. Stands above the other decorator. */
export const NullableField = () =>
  applyDecorators(
    ApiProperty({ required: false, nullable: true }),
    ValidateIf((_: object, value: unknown) => value !== undefined && value !== null),
  );

/** The path parameter of every route about one object. */
export class IdParam {
  @IdField()
  id: string;
}
