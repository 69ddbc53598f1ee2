import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ValidateBy, type ValidationArguments } from 'class-validator';

/**
 * A rule across two fields: this one may be sent only while the other has one of the values. `undefined` among them:
 * while the other is left out. A value that is added to the other field later is therefore closed to this one until
 * somebody opens it (ASVS v5.0.0-2.1.2, 2.2.3).
 */
export const OnlyWith = (other: string, values: readonly (string | undefined)[]) => {
  const words = values.map((value) => (value === undefined ? 'left out' : value)).join(' or ');
  return applyDecorators(
    ApiProperty({ description: `Only with ${other} ${words}.` }),
    ValidateBy({
      name: 'onlyWith',
      validator: {
        validate: (_: unknown, context?: ValidationArguments) =>
          values.includes((context?.object as Record<string, string | undefined> | undefined)?.[other]),
        defaultMessage: () => `$property may be sent only with ${other} ${words}`,
      },
    }),
  );
};
