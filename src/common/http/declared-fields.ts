import { getMetadataStorage } from 'class-validator';
import { nestedDto } from './fields.js';

const knownFields = new WeakMap<object, ReadonlySet<string>>();

/** The declared fields of a DTO. class-validator looks them up in a plain object, where `toString` is always found. */
export function declaredFields(dto: Function): ReadonlySet<string> {
  const known = knownFields.get(dto);
  if (known !== undefined) return known;
  const metadata = getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false);
  const fields = new Set(metadata.map(({ propertyName }) => propertyName));
  knownFields.set(dto, fields);
  return fields;
}

/** The class and those of its nested fields, each once. @public: every user of it can be removed. */
export function dtosIn(dto: Function, found = new Set<Function>()): ReadonlySet<Function> {
  if (found.has(dto)) return found;
  found.add(dto);
  for (const field of declaredFields(dto)) {
    const nested = nestedDto(dto, field);
    if (nested !== undefined) dtosIn(nested, found);
  }
  return found;
}

/**
 * The value without the fields that the DTO, and the DTOs inside it, do not declare. For senders who add fields without
 * asking; of anybody else an unknown field is refused (ASVS v5.0.0-15.3.3).
 * @public: every user of it can be removed.
 */
export function withoutUnknown(dto: Function, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const known = declaredFields(dto);
  const kept = Object.entries(value).filter(([name]) => known.has(name));
  return Object.fromEntries(
    kept.map(([name, item]: [string, unknown]) => {
      const nested = nestedDto(dto, name);
      return [name, nested === undefined ? item : withoutUnknown(nested, item)];
    }),
  );
}
