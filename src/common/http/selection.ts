import { applyDecorators, type Type } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';
import { fieldNamesOf, type ViewContext } from './view.js';

/**
 * Which fields of the view are wanted: `fields=id,title`. What the view does not declare, there or hidden, is refused
 * in the same words, so that nobody finds out which columns there are (abuse case A3-5).
 */
export function SelectionField(view: Type): PropertyDecorator {
  const names = fieldNamesOf(view);
  const name = `(?:${names.join('|')})`;
  return applyDecorators(
    ApiProperty({
      type: 'string',
      pattern: `^${name}(?:,${name})*$`,
      description: 'Distinct names of fields; left out: all.',
      example: names.slice(0, 2).join(','),
    }),
    // A repeated parameter arrives as a list, which must not pass for one that was split here.
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' ? value.split(',') : value === undefined ? undefined : null,
    ),
    ValidateBy({
      name: 'isSelection',
      validator: {
        validate: (value: unknown) =>
          Array.isArray(value) &&
          new Set(value).size === value.length &&
          value.every((one) => names.includes(one as string)),
        defaultMessage: () => `$property must be distinct names out of: ${names.join(', ')}`,
      },
    }),
  );
}

/**
 * The columns to read for a view: those that are wanted and that the relation, where it is known, may see. What is not
 * read is not opened.
 * @public: every user of it can be removed.
 */
export const selectionOf = <V>(view: Type<V>, { fields, relation }: ViewContext = {}) =>
  Object.fromEntries(
    fieldNamesOf(view, relation).flatMap((name) =>
      fields === undefined || fields.includes(name) ? [[name, true]] : [],
    ),
  ) as { [Name in keyof V]: true };
