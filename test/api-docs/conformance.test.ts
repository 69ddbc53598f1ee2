import type { OpenAPIObject } from '@nestjs/swagger';
import { describe, expect, it } from 'vitest';
import { Conformance } from './answer-check.js';
import type { Answer } from '../support/http.js';

// The checker that holds every answer of the other tests against the document: if it let something pass, they would
// prove less than they say.

const text = { type: 'string' };
const problem = {
  type: 'object',
  required: ['type', 'status'],
  additionalProperties: false,
  properties: { type: text, status: { type: 'integer' } },
};
const answers = {
  200: {
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } },
    headers: {
      'ETag': { required: true, schema: { type: 'string', pattern: '^"[0-9]+"$' } },
      'X-Hint': { schema: text },
    },
  },
  204: { description: 'nothing' },
  404: { $ref: '#/components/responses/not-found' },
};

const document = {
  openapi: '3.1.1',
  info: { title: 'API', version: '1' },
  paths: {
    '/things/{id}': { get: { operationId: 'Things.find', responses: answers } },
    '/things/all': { delete: { operationId: 'Things.clear', responses: answers } },
  },
  components: {
    schemas: {
      Thing: {
        type: 'object',
        required: ['id', 'count'],
        additionalProperties: false,
        properties: { id: { ...text, format: 'uuid' }, count: { type: ['integer', 'null'] } },
      },
      Problem: problem,
    },
    responses: {
      'not-found': {
        content: {
          'application/problem+json': {
            schema: {
              allOf: [
                { $ref: '#/components/schemas/Problem' },
                { type: 'object', properties: { type: { ...text, enum: ['/problems/not-found'] } } },
              ],
            },
          },
        },
      },
    },
  },
} as unknown as OpenAPIObject;

const conformance = new Conformance(document);
const thing = { id: '01890000-0000-7000-8000-000000000000', count: 1 };

function answer(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  const type = status < 400 ? 'application/json; charset=utf-8' : 'application/problem+json; charset=utf-8';
  const sent = body === '' ? '' : JSON.stringify(body);
  return { status, body, text: sent, headers: { ...(sent === '' ? {} : { 'content-type': type }), ...headers } };
}

const tagged = { etag: '"1"' };
const check =
  (one: Answer, method = 'GET', path = '/things/1?a=b', methods: readonly string[] = []) =>
  () =>
    conformance.check(method, path, one, () => methods);

describe('the checker of answers: every fault throws [practice 3.2] [ASVS 4.1.1]', () => {
  it.each([
    ['a declared answer', answer(200, thing, tagged)],
    ['an answer with null where it may be', answer(200, { ...thing, count: null }, tagged)],
    ['a declared problem', answer(404, { type: '/problems/not-found', status: 404 })],
    ['an empty answer', answer(204, '')],
  ])('%s passes', (_, one) => {
    expect(check(one)).not.toThrow();
  });

  it.each([
    ['an undeclared status', answer(202, thing, tagged), 'the status is not declared'],
    ['an undeclared refusal', answer(409, { type: '/problems/conflict', status: 409 }), 'the status is not declared'],
    ['a missing field', answer(200, { id: thing.id }, tagged), 'count'],
    ['an extra field', answer(200, { ...thing, passwordHash: 'x' }, tagged), 'passwordHash'],
    ['a wrong type', answer(200, { ...thing, count: '1' }, tagged), '/count must be integer,null'],
    ['a wrong format', answer(200, { ...thing, id: 'x' }, tagged), '/id must match format "uuid"'],
    ['another problem than declared', answer(404, { type: '/problems/forbidden', status: 404 }), '/type'],
    ['a body where none is declared', answer(204, thing), 'there is a body'],
    [
      'another content type',
      answer(200, thing, { ...tagged, 'content-type': 'text/html' }),
      'the content type text/html is not declared',
    ],
    ['a missing header', answer(200, thing), 'the header ETag is missing'],
    ['a header in a wrong form', answer(200, thing, { etag: 'W/"1"' }), 'ETag'],
    [
      'a telling header that is not declared',
      answer(200, thing, { ...tagged, location: '/' }),
      'the header location is not declared',
    ],
  ])('%s: the test that got it fails', (_, one, words) => {
    expect(check(one)).toThrow(words);
  });

  it('names operation, method and status', () => {
    expect(check(answer(500, {}))).toThrow('GET /things/1 (Things.find) answered 500');
  });

  it('a path that is written out goes before one with parameters', () => {
    expect(check(answer(204, ''), 'DELETE', '/things/all')).not.toThrow();
    expect(check(answer(404, { type: '/problems/not-found', status: 404 }), 'GET', '/things/all')).not.toThrow();
  });

  it.each([
    ['an unknown route that answers 200', 'GET /nowhere', answer(200, thing), [], 'nothing has that route'],
    [
      'an unknown route whose refusal is no problem',
      'GET /nowhere',
      answer(404, 'no', { 'content-type': 'text/plain' }),
      [],
      'no problem document',
    ],
    [
      'a problem that tells another status',
      'GET /nowhere',
      answer(404, { type: 'x', status: 400 }),
      [],
      'another status',
    ],
    ['a 405 without Allow', 'PUT /things/1', answer(405, { type: 'x', status: 405 }), ['GET'], 'Allow'],
    ['a page that answers with JSON', 'GET /docs', answer(200, thing), ['GET'], 'a page answers with JSON'],
    ['a page without a content type', 'GET /docs', answer(200, ''), ['GET'], 'no content type'],
  ])('%s: the test that got it fails', (_, request, one, methods, words) => {
    const [method, path] = request.split(' ');
    expect(check(one, method, path, methods)).toThrow(words);
  });
});
