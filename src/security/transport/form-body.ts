import type { FastifyRequest } from 'fastify';
import { formFields } from '../../common/http/forms.js';
import { Problem } from '../../common/http/problem.js';

type Done = (error: Error | null, body?: unknown) => void;

/**
 * Fastify's parser for forms, which the routes of `@TakesForm()` take and no other. A field that is there twice means
 * one thing to us and another to the next reader (RFC 6749 s3.2).
 */
export function parseFormBody(request: FastifyRequest, body: string | Buffer, done: Done): void {
  const fields = formFields(request.routeOptions.config);
  if (fields === undefined) return done(new Problem('unsupported-media-type'));
  const sent = new URLSearchParams(body.toString());
  const values = fields.map((field) => [field, sent.getAll(field)] as const);
  if (values.some(([, all]) => all.length > 1))
    return done(new Problem('malformed-request', 'A field is there twice.'));
  done(null, Object.fromEntries(values.flatMap(([field, [value]]) => (value === undefined ? [] : [[field, value]]))));
}
