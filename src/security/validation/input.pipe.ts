import { Injectable, type ArgumentMetadata, type PipeTransform, type Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidationError } from 'class-validator';
import { declaredFields } from '../../common/http/declared-fields.js';
import { nestedDto } from '../../common/http/fields.js';
import { Problem, type InputFault } from '../../common/http/problem.js';
import { REQUEST_HEADERS } from '../../common/http/parameters.js';
import { SecurityEvents } from '../../common/events/security-events.js';

/** class-validator's constraint names -> the stable codes of the API. */
const codes: Readonly<Record<string, string>> = {
  whitelistValidation: 'unknown-field',
  isString: 'wrong-type',
  isInt: 'wrong-type',
  isBoolean: 'wrong-type',
  isObject: 'wrong-type',
  nestedValidation: 'wrong-type',
  hasLength: 'wrong-length',
  isSafeText: 'unsafe-text',
  isVisible: 'nothing-visible',
  isPlainAddress: 'not-an-email-address',
  isEmail: 'not-an-email-address',
  matches: 'wrong-format',
  isIn: 'not-a-choice',
  isChoices: 'not-a-choice',
  isSelection: 'not-a-choice',
  min: 'out-of-range',
  max: 'out-of-range',
  onlyWith: 'not-together',
};

const rules = {
  // The second guard against unknown fields; the first is declaredFields().
  whitelist: true,
  forbidNonWhitelisted: true,
  forbidUnknownValues: true,
  stopAtFirstError: true,
  // The value may be a secret: no error carries it.
  validationError: { target: false, value: false },
} as const;

/**
 * Reduces every input to its DTO class. A wrong path or query parameter or header field, or an unknown field, is a
 * malformed request (400); a known field whose value breaks its rule is 422.
 */
@Injectable()
export class InputPipe implements PipeTransform {
  constructor(private readonly events: SecurityEvents) {}

  transform(value: unknown, { type, metatype, data }: ArgumentMetadata): unknown {
    // Custom decorators (@CurrentPrincipal) hand over what the guards made; only what a client sent is validated.
    if (type === 'custom' && data !== REQUEST_HEADERS) return value;
    const place = type === 'custom' ? 'header' : type;
    // The boot refuses a handler without a DTO; one that got here all the same takes nothing.
    if (metatype === undefined) throw new Problem('malformed-request');
    const input = place === 'header' ? declaredIn(value as object, metatype) : objectOf(value);
    this.assertNoneUnknown(unknownIn(input, metatype, prefixes[place]), place);
    const instance: Record<string, unknown> = plainToInstance(metatype as Type<Record<string, unknown>>, input);
    const errors = validateSync(instance, rules);
    if (errors.length > 0) throw toProblem(errors, place);
    // A DTO has all its fields as own properties; what was not sent must not look like a change.
    for (const name of Object.keys(instance)) if (instance[name] === undefined) delete instance[name];
    return instance;
  }

  /** Never dropped in silence: mass assignment (ASVS v5.0.0-15.3.3). */
  private assertNoneUnknown(unknown: readonly string[], place: Place): void {
    if (unknown.length === 0) return;
    // Honest clients do not invent fields, so it is told.
    this.events.reportLater({
      action: 'input_validation_fail',
      outcome: 'denied',
      details: { in: place, unknownFields: unknown.length },
    });
    throw unknownFields(unknown);
  }
}

/** Without a body there is still an object to validate, so that each missing field is named. */
function objectOf(value: unknown): object {
  const input: unknown = value ?? {};
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input;
  throw new Problem('malformed-request', 'The body must be a JSON object.');
}

/** Every request carries header fields that no handler reads: only the declared ones are its input. */
const declaredIn = (headers: object, dto: Function): object =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => declaredFields(dto).has(name)));

const prefixes = { body: '/', query: 'query:', param: 'path:', header: 'header:' } as const;

type Place = keyof typeof prefixes;

/** Pointers to what the DTO, and the DTOs inside it, do not declare. */
function unknownIn(input: object, dto: Function, prefix: string): string[] {
  const known = declaredFields(dto);
  return Object.entries(input).flatMap(([name, value]: [string, unknown]) => {
    if (!known.has(name)) return [`${prefix}${escaped(name.slice(0, 100))}`];
    const nested = nestedDto(dto, name);
    return nested !== undefined && typeof value === 'object' && value !== null
      ? unknownIn(value, nested, `${prefix}${escaped(name)}/`)
      : [];
  });
}

/** At most twenty of them, and none of their values. */
function unknownFields(pointers: readonly string[]): Problem {
  const errors = pointers
    .slice(0, 20)
    .map((pointer) => ({ pointer, code: 'unknown-field', message: 'there is no such field' }));
  return new Problem('malformed-request', undefined, { errors });
}

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

function toProblem(errors: readonly ValidationError[], place: Place): Problem {
  const faults = flatten(errors, prefixes[place]);
  const malformed = place !== 'body' || faults.some(({ code }) => code === 'unknown-field');
  return new Problem(malformed ? 'malformed-request' : 'validation-failed', undefined, { errors: faults });
}

/** One fault per field: a JSON pointer (RFC 6901) into the body, or the name of the parameter. */
function flatten(errors: readonly ValidationError[], parent: string): InputFault[] {
  return errors.flatMap((error) => {
    const pointer = `${parent}${escaped(error.property)}`;
    const own = Object.entries(error.constraints ?? {}).map(([constraint, message]) => ({
      pointer,
      code: codes[constraint] ?? 'invalid',
      message,
    }));
    return [...own, ...flatten(error.children ?? [], `${pointer}/`)];
  });
}
