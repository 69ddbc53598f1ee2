import { isIP } from 'node:net';
import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsInt, Max, Min, ValidateBy } from 'class-validator';
import { machineScopes } from '../../common/access/access.decorators.js';
import { machineTiers, type MachineTier } from '../../common/access/principal.js';
import { ChoiceField, OptionalField, TextField } from '../../common/http/fields.js';

const WholeField = (min: number, max: number, description: string) =>
  applyDecorators(
    ApiProperty({ type: 'integer', minimum: min, maximum: max, description }),
    IsInt(),
    Min(min),
    Max(max),
  );

/** Features add to what machines can be allowed while their files are loaded, so it is asked when a request comes. */
const isScopes = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length > 0 &&
  new Set(value).size === value.length &&
  value.every((item) => machineScopes.includes(item as string));

const ScopesField = () =>
  applyDecorators(
    ApiProperty({
      type: 'array',
      items: { type: 'string', enum: machineScopes as string[] },
      minItems: 1,
      uniqueItems: true,
      description: 'Permissions of routes that are open to machines.',
    }),
    ValidateBy({
      name: 'isChoices',
      validator: {
        validate: isScopes,
        defaultMessage: () => '$property must name permissions of routes that are open to machines, each once',
      },
    }),
  );

const maxRanges = 20;

/** `192.0.2.0/24`, `2001:db8::/32` or one address; not the whole internet, which would bound nothing. */
function isRange(value: unknown): boolean {
  const [, address = '', prefix] = /^([0-9a-fA-F:.]{2,45})(?:\/([1-9]\d{0,2}))?$/.exec(String(value)) ?? [];
  const family = typeof value === 'string' ? isIP(address) : 0;
  return family !== 0 && Number(prefix ?? 1) <= (family === 4 ? 32 : 128);
}

const RangesField = () =>
  applyDecorators(
    ApiProperty({
      type: 'array',
      items: { type: 'string', maxLength: 49 },
      minItems: 1,
      maxItems: maxRanges,
      description: 'IP addresses and CIDR ranges from which the key counts. Left out: from everywhere.',
      example: ['192.0.2.0/24', '2001:db8::/32'],
    }),
    ValidateBy({
      name: 'matches',
      validator: {
        validate: (value: unknown) =>
          Array.isArray(value) && value.length > 0 && value.length <= maxRanges && value.every(isRange),
        defaultMessage: () => `$property must be 1 to ${maxRanges} IP addresses or CIDR ranges`,
      },
    }),
  );

const ExpiryField = () => WholeField(1, 366, 'From now; the service may allow less.');

export class CreateApiKey {
  @TextField({ min: 1, max: 100, example: 'Nightly import' })
  name: string;

  @ScopesField()
  scopes: string[];

  @ExpiryField()
  expiresInDays: number;

  @OptionalField()
  @RangesField()
  addressRanges?: string[];
}

export class CreateServiceKey extends CreateApiKey {
  @TextField({ min: 1, max: 100, example: 'Laboratory analyser' })
  service: string;

  @OptionalField()
  @ChoiceField(machineTiers, 'standard')
  tier?: MachineTier;
}

export class SucceedApiKey {
  @ExpiryField()
  expiresInDays: number;

  @WholeField(0, 168, 'So long the old key counts beside the new one, if it does not run out before.')
  overlapHours: number;
}
