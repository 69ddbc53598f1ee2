import { applyDecorators, type Type as Class } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { Allow, IsBoolean, IsEmail, IsIn, IsInt, IsString, Matches, Max, Min, ValidateBy, ValidateIf, ValidateNested } from 'class-validator';
import { hasTooManyMarks, normalise, normaliseEmail } from './normalisation.js';

// One decorator per kind of input: it normalises, validates and documents, so that the three can never disagree.

// Control characters forge log lines and mail headers; bidirectional marks make a name read as another one (Trojan Source).
const unsafeInLine = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\u2028\u2029]/u;
const unsafeInText = /(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;

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

const IsSafeText = (unsafe: RegExp) =>
  ValidateBy({
    name: 'isSafeText',
    validator: {
      validate: (value: unknown) =>
        typeof value === 'string' && value.isWellFormed() && !unsafe.test(value) && !hasTooManyMarks(value) && !value.startsWith(cellPrefix),
      defaultMessage: () => '$property must not contain control or direction characters, nor more than 30 combining marks in a row',
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

/** Human text: NFC, trimmed unless multi-line, without control and direction characters. */
export function TextField({ min, max, example, multiline = false }: TextLimits): PropertyDecorator {
  return applyDecorators(
    ApiProperty({ type: 'string', minLength: min, maxLength: max, example }),
    normalised((text) => (multiline ? normalise(text) : normalise(text).trim())),
    IsString(),
    HasLength(min, max),
    IsSafeText(multiline ? unsafeInText : unsafeInLine),
  );
}

/** The name of a person: 1 to 100 characters of any script. */
export const PersonNameField = () => TextField({ min: 1, max: 100, example: 'Alice Example' });

/** An e-mail address of at most 254 characters, NFC, trimmed and lower-cased, so that one mailbox has one blind index. */
export const EmailField = () =>
  applyDecorators(
    ApiProperty({ type: 'string', format: 'email', maxLength: 254, example: 'alice@example.org' }),
    normalised(normaliseEmail),
    IsString(),
    HasLength(3, 254),
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

/** A list of distinct words out of the choices. */
export const ChoicesField = (choices: readonly string[]) =>
  applyDecorators(
    ApiProperty({ type: 'array', items: { type: 'string', enum: [...choices] }, uniqueItems: true, maxItems: choices.length }),
    ValidateBy({
      name: 'isChoices',
      validator: {
        validate: (value: unknown) =>
          Array.isArray(value) && new Set(value).size === value.length && value.every((item) => choices.includes(item as string)),
        defaultMessage: () => `$property must be a list of distinct values out of: ${choices.join(', ')}`,
      },
    }),
  );

/** The same, for a list of words that grows without us: those that we do not know are dropped. */
export const KnownChoicesField = (choices: readonly string[]) =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      Array.isArray(value) ? value.filter((item: unknown) => typeof item !== 'string' || choices.includes(item)) : value,
    ),
    ChoicesField(choices),
    ApiProperty({ items: { type: 'string' }, maxItems: undefined, description: `Others than ${choices.join(', ')} are dropped.` }),
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
      validator: { validate: (value: unknown) => value instanceof dto(), defaultMessage: () => '$property must be an object' },
    }),
    ValidateNested(),
  );

/** What standard clients send along and the service does not read: taken in any form, and dropped. */
export const UnreadField = () =>
  applyDecorators(
    ApiProperty({ type: 'object', additionalProperties: true, selfRequired: false, description: 'Taken in any form, and not read.' }),
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
