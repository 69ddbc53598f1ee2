import { problemType } from '../common/http/problem.js';
import type { HeadersObject, Operation, ResponseObject, SchemaObject } from './document.types.js';

const text = { type: 'string' } as const;

/** RFC 9457, as security/errors writes it. */
export const problemSchema: SchemaObject = {
  type: 'object',
  required: ['type', 'title', 'status', 'requestId'],
  additionalProperties: false,
  properties: {
    type: { ...text, description: 'Stable: branch on it.', examples: ['/problems/not-found'] },
    title: text,
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: text,
    requestId: { type: 'string', format: 'uuid' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'code', 'message'],
        additionalProperties: false,
        properties: { pointer: text, code: text, message: text },
      },
    },
  },
};

const header = (description: string, required = true) => ({ description, required, schema: text });

/** What every answer carries. The limits are told as soon as one of them was asked. */
const everywhere: HeadersObject = {
  'X-Request-Id': {
    description: 'The id under which the service has logged the request.',
    required: true,
    schema: { type: 'string', format: 'uuid' },
  },
  'RateLimit': header('What is left of each limit (draft-ietf-httpapi-ratelimit-headers).', false),
  'RateLimit-Policy': header('The limits.', false),
};

const byStatus: Readonly<Record<number, HeadersObject>> = {
  401: { 'WWW-Authenticate': header('How to authenticate (RFC 6750, RFC 9470).') },
  405: { Allow: header('The methods that the resource supports.') },
  429: { 'Retry-After': header('Seconds.') },
  503: { 'Retry-After': header('Seconds.', false) },
};

const ETag = header('The version, for `If-Match` and `If-None-Match`.');
const Location = header('The path of what was created.');

/** The header fields of an answer, by its status. @param tagged the handler has `@EntityTagged()`. */
export function headersOf(status: number, tagged = false): HeadersObject {
  return { ...everywhere, ...byStatus[status], ...(tagged && { ETag }), ...(tagged && status === 201 && { Location }) };
}

/** The responses of the document that answer with problems: each combination of types once, operations refer to it. */
export class ProblemResponses {
  readonly components: Record<string, ResponseObject> = {};

  /** The entries of an operation that may answer with these types, by status. */
  of(types: ReadonlySet<string>): Record<string, { $ref: string }> {
    const some = Object.groupBy([...types].toSorted(), (type) => problemType(type).status);
    return Object.fromEntries(
      Object.entries(some).map(([status, ones]) => [status, this.reference(Number(status), ones ?? [])]),
    );
  }

  /**
   * The same beside the answers that an operation has itself. A status that has both, because a protocol demands a form
   * of its own, has two content types.
   */
  beside(own: Readonly<Record<string, ResponseObject>>, types: ReadonlySet<string>): Operation['responses'] {
    const problems = this.of(types);
    const both = Object.entries(own).flatMap(([status, answer]) => {
      const problem = this.components[problems[status]?.$ref.split('/').at(-1) ?? ''];
      if (problem === undefined) return [];
      const description = `${problem.description}. Or: ${answer.description}`;
      return [[status, { ...problem, description, content: { ...problem.content, ...answer.content } }]];
    });
    return { ...own, ...problems, ...Object.fromEntries(both) };
  }

  private reference(status: number, types: readonly string[]): { $ref: string } {
    const name = types.join('.');
    this.components[name] ??= {
      description: types.map((type) => problemType(type).title).join('. Or: '),
      headers: headersOf(status),
      content: {
        'application/problem+json': {
          schema: { allOf: [{ $ref: '#/components/schemas/Problem' }, only(status, types)] },
        },
      },
    };
    return { $ref: `#/components/responses/${name}` };
  }
}

const only = (status: number, types: readonly string[]): SchemaObject => ({
  type: 'object',
  properties: {
    type: { ...text, enum: types.map((type) => `/problems/${type}`) },
    status: { type: 'integer', enum: [status] },
  },
});
