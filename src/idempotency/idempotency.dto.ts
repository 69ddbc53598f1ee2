import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsString, Matches } from 'class-validator';
import { OptionalField } from '../common/http/fields.js';

// A structured-field string (RFC 9651 section 3.3.3), as the draft demands. At least 16 characters: "1" is a key that
// gets reused.
const form = /^"[A-Za-z0-9_-]{16,64}"$/;

const IdempotencyKeyField = () =>
  applyDecorators(
    ApiProperty({
      type: 'string',
      pattern: form.source,
      example: '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
      description: 'The same key with the same request makes nothing a second time, for 24 hours. In quotes.',
    }),
    IsString(),
    Matches(form),
  );

/**
 * The header of a request that may be sent again when its answer was lost (draft-ietf-httpapi-idempotency-key-header).
 */
export class IdempotentRequest {
  @OptionalField()
  @IdempotencyKeyField()
  'idempotency-key'?: string;
}
