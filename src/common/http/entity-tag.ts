import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiHeader, ApiNotModifiedResponse } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { createCheckedParameter } from './parameters.js';
import { Problem } from './problem.js';

/**
 * Strong (RFC 9110 section 8.8.3): the version, and when fields are left out, which ones are there. With the version
 * alone, who becomes an editor, or asks for more fields, would get 304 for an answer that has more than the one before.
 */
function entityTag(version: number, answer: object, fields: readonly string[]): string {
  const there = fields.map((name) => (name in answer ? '1' : '0')).join('');
  return there.includes('0') ? `"${version}-${BigInt(`0b${there}`).toString(36)}"` : `"${version}"`;
}

/**
 * The version that the caller has seen, from `If-Match`, whichever of its fields were there. Without it two editors
 * overwrite each other unseen (lost update). `*` is refused too: it would mean "whatever is there now". The weak form
 * counts: a proxy that compresses an answer makes `W/"1"` of its tag, and the tag is a version, not a digest of bytes,
 * so nothing is weaker about it (RFC 9110 section 13.1.1 has bytes in mind).
 * @throws Problem precondition-required (428) when it is missing, precondition-failed (412) when it is no tag of ours,
 * malformed-request for a list of several versions: a change is based on one.
 */
export const IfMatch = createCheckedParameter(({ headers }): number => {
  const header = headers['if-match'];
  if (header === undefined || header === '*')
    throw new Problem('precondition-required', 'Send the ETag that you have read as If-Match.');
  const [version, ...others] = new Set(
    header.split(',').map((tag) => /^(?:W\/)?"(\d{1,9})(?:-[\da-z]+)?"$/.exec(tag.trim())?.[1]),
  );
  if (others.length > 0)
    throw new Problem(
      'malformed-request',
      'If-Match names several versions: send the one that the change is based on.',
    );
  if (version === undefined) throw new Problem('precondition-failed');
  return Number(version);
});

/** Publishes the header that `@IfMatch()` reads. */
export const ApiIfMatch = () =>
  ApiHeader({
    name: 'If-Match',
    required: true,
    description: 'The ETag that the caller has read.',
    schema: { type: 'string' },
  });

export const ENTITY_TAGGED = 'entity-tagged';

/** The answer has an `id` and a `version`, which becomes its `ETag`; a created one also says where it is. */
export const EntityTagged = (): MethodDecorator => SetMetadata(ENTITY_TAGGED, true);

/** The same, of a GET that answers 304 to whoever has that version. */
export const Conditional = () =>
  applyDecorators(
    EntityTagged(),
    ApiHeader({
      name: 'If-None-Match',
      required: false,
      description: 'An ETag that the caller has: 304 while it is the present one.',
      schema: { type: 'string' },
    }),
    ApiNotModifiedResponse({ description: 'The caller has the present version.' }),
  );

/**
 * @param value what the handler has returned.
 * @param answer what leaves of it.
 * @param fields the names of the fields of the view.
 * @throws TypeError for a value without version: to be sent without a tag would let two editors overwrite each other.
 */
export function tagAnswer(reply: FastifyReply, value: unknown, answer: unknown, fields: readonly string[]): void {
  const { id, version } = (value ?? {}) as { id?: unknown; version?: unknown };
  if (typeof id !== 'string' || typeof version !== 'number')
    throw new TypeError('an @EntityTagged() answer has no id or no version');
  reply.header('etag', entityTag(version, answer as object, fields));
  if (reply.statusCode === 201) reply.header('location', `${reply.request.routeOptions.url ?? ''}/${id}`);
}

/**
 * True when the caller has this answer already (RFC 9110 section 13.1.2). To be asked last, when everything else has
 * let the answer pass:
 * a 304 tells as much as a 200 (abuse case A1-4).
 */
export function isNotModified(reply: FastifyReply): boolean {
  const { method, headers } = reply.request;
  const [seen, tag] = [headers['if-none-match'], reply.getHeader('etag')];
  if (seen === undefined || tag === undefined || reply.statusCode !== 200 || (method !== 'GET' && method !== 'HEAD'))
    return false;
  return seen === '*' || seen.split(',').some((one) => one.trim().replace(/^W\//, '') === tag);
}
