import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as nest from '@nestjs/common';
import { errorCodes } from 'fastify';
import { describe, expect, it } from 'vitest';
import { problemOf } from '../../../src/security/errors/problem-of.js';

// Each code of the installed versions, and the status that somebody has chosen for it. A version that brings a new one,
// or takes one away, makes this fail until somebody has thought about it.

const fastify: Readonly<Record<number, string>> = {
  400:
    'VALIDATION BAD_URL CTP_INVALID_CONTENT_LENGTH CTP_EMPTY_JSON_BODY CTP_INVALID_JSON_BODY ' +
    'ROUTE_MISSING_CONTENT_TYPE ROUTE_MISSING_CONTENT',
  404: `NOT_FOUND`,
  413: `CTP_BODY_TOO_LARGE`,
  414: `MAX_PARAM_LENGTH`,
  415: `CTP_INVALID_MEDIA_TYPE`,
  503: `HANDLER_TIMEOUT`,
  // Misuse of the framework: a fault of ours, whatever status it suggests.
  500: `
    OPTIONS_NOT_OBJ QSP_NOT_FN SCHEMA_CONTROLLER_BUCKET_OPT_NOT_FN SCHEMA_ERROR_FORMATTER_NOT_FN
    AJV_CUSTOM_OPTIONS_OPT_NOT_OBJ AJV_CUSTOM_OPTIONS_OPT_NOT_ARR LISTEN_OPTIONS_INVALID ERROR_HANDLER_NOT_FN
    ERROR_HANDLER_ALREADY_SET CTP_ALREADY_PRESENT CTP_INVALID_TYPE CTP_EMPTY_TYPE CTP_INVALID_HANDLER
    CTP_INVALID_PARSE_TYPE CTP_INSTANCE_ALREADY_STARTED DEC_ALREADY_PRESENT DEC_DEPENDENCY_INVALID_TYPE
    DEC_MISSING_DEPENDENCY DEC_AFTER_START DEC_REFERENCE_TYPE DEC_UNDECLARED HOOK_INVALID_TYPE
    HOOK_INVALID_HANDLER HOOK_INVALID_ASYNC_HANDLER HOOK_NOT_SUPPORTED MISSING_MIDDLEWARE HOOK_TIMEOUT
    LOG_INVALID_DESTINATION LOG_INVALID_LOGGER LOG_INVALID_LOGGER_INSTANCE LOG_INVALID_LOGGER_CONFIG
    LOG_LOGGER_AND_LOGGER_INSTANCE_PROVIDED LOG_INVALID_LOG_CONTROLLER REP_INVALID_PAYLOAD_TYPE
    REP_RESPONSE_BODY_CONSUMED REP_READABLE_STREAM_LOCKED REP_ALREADY_SENT REP_SENT_VALUE SEND_INSIDE_ONERR
    SEND_UNDEFINED_ERR BAD_STATUS_CODE BAD_TRAILER_NAME BAD_TRAILER_VALUE FAILED_ERROR_SERIALIZATION
    MISSING_SERIALIZATION_FN MISSING_CONTENTTYPE_SERIALIZATION_FN REQ_INVALID_VALIDATION_INVOCATION SCH_MISSING_ID
    SCH_ALREADY_PRESENT SCH_CONTENT_MISSING_SCHEMA SCH_DUPLICATE SCH_VALIDATION_BUILD SCH_SERIALIZATION_BUILD
    SCH_RESPONSE_SCHEMA_NOT_NESTED_2XX INIT_OPTS_INVALID FORCE_CLOSE_CONNECTIONS_IDLE_NOT_AVAILABLE
    DUPLICATED_ROUTE ASYNC_CONSTRAINT INVALID_URL ROUTE_OPTIONS_NOT_OBJ ROUTE_DUPLICATED_HANDLER
    ROUTE_HANDLER_NOT_FN ROUTE_MISSING_HANDLER ROUTE_METHOD_INVALID ROUTE_METHOD_NOT_SUPPORTED
    ROUTE_LOG_LEVEL_INVALID ROUTE_BODY_VALIDATION_SCHEMA_NOT_SUPPORTED ROUTE_BODY_LIMIT_OPTION_NOT_INT
    ROUTE_HANDLER_TIMEOUT_OPTION_NOT_INT ROUTE_REWRITE_NOT_STR REOPENED_CLOSE_SERVER REOPENED_SERVER
    INSTANCE_ALREADY_LISTENING PLUGIN_VERSION_MISMATCH PLUGIN_NOT_PRESENT_IN_INSTANCE PLUGIN_INVALID_ASYNC_HANDLER
    PLUGIN_DEPENDENCY_NOT_REGISTERED PLUGIN_CALLBACK_NOT_FN PLUGIN_NOT_VALID ROOT_PLG_BOOTED PARENT_PLUGIN_BOOTED
    PLUGIN_TIMEOUT
  `,
};

/**
 * What the client for PostgreSQL, with its adapter, throws at run time. P3xxx are the schema engine's, P6xxx
 * Accelerate's: neither is used.
 */
const prisma: Readonly<Record<number, string>> = {
  404: 'P2025',
  409: 'P2002 P2003 P2014',
  500:
    'P1009 P2000 P2007 P2009 P2010 P2011 P2012 P2017 P2018 P2020 P2021 P2022 P2023 P2029 P2030 P2036 P2038 P2039 ' +
    'P6000 P6001',
  503: 'P1000 P1001 P1003 P1008 P1010 P1011 P1017 P1018 P2028 P2034 P2037',
};

const exceptions: Readonly<Record<number, string>> = {
  400: 'BadRequest ImATeapot',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound Gone',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  408: 'RequestTimeout',
  409: 'Conflict',
  412: 'PreconditionFailed',
  413: 'PayloadTooLarge',
  415: 'UnsupportedMediaType',
  421: 'Misdirected',
  422: 'UnprocessableEntity',
  500: 'InternalServerError NotImplemented HttpVersionNotSupported',
  503: 'ServiceUnavailable BadGateway GatewayTimeout',
};

const exported = new Map(
  Object.entries(nest).filter(
    ([, value]) => typeof value === 'function' && value.prototype instanceof nest.HttpException,
  ),
) as Map<string, new (message: string) => Error>;

const rows = (table: Readonly<Record<number, string>>): [string, number][] =>
  Object.entries(table).flatMap(([status, names]) =>
    names
      .trim()
      .split(/\s+/)
      .map((name): [string, number] => [name, Number(status)]),
  );
const names = (table: Readonly<Record<number, string>>): string[] =>
  rows(table)
    .map(([name]) => name)
    .toSorted();

describe('Every code of the libraries has a status that somebody has chosen (practice 6.2) [ASVS 16.5.1]', () => {
  it('Fastify has no other codes than these', () => {
    expect(Object.keys(errorCodes).toSorted()).toEqual(names(fastify).map((name) => `FST_ERR_${name}`));
  });

  it.each(rows(fastify))('FST_ERR_%s: %i, thrown as it is and wrapped by Nest [practice 6.2]', (name, status) => {
    const error = new errorCodes[`FST_ERR_${name}` as keyof typeof errorCodes]('canary', 'canary', 'canary');
    expect(problemOf(error).getStatus()).toBe(status);
    expect(
      problemOf(new nest.HttpException(error.message, error.statusCode ?? 500, { cause: error })).getStatus(),
    ).toBe(status);
  });

  it('a code that Fastify does not have yet: 500, whatever status it suggests', () => {
    expect(
      problemOf(
        Object.assign(new Error('canary'), { code: 'FST_ERR_NEW', statusCode: 404, name: 'FastifyError' }),
      ).getStatus(),
    ).toBe(500);
  });

  it.each([
    ['FST_REQ_FILE_TOO_LARGE', 413],
    ['FST_PARTS_LIMIT', 413],
    ['FST_FILES_LIMIT', 413],
    ['FST_FIELDS_LIMIT', 413],
    ['FST_PROTO_VIOLATION', 400],
    ['FST_INVALID_JSON_FIELD_ERROR', 400],
    ['FST_INVALID_MULTIPART_CONTENT_TYPE', 415],
    ['FST_FILE_BUFFER_NOT_FOUND', 500],
    ['FST_NO_FORM_DATA', 500],
  ])(
    'an upload fails with %s of @fastify/multipart: %i, thrown as it is and wrapped by Nest [practice 6.2]',
    (code, status) => {
      const error = Object.assign(new Error('canary'), { code, statusCode: 406, name: 'FastifyError' });
      expect(problemOf(error).getStatus()).toBe(status);
      expect(problemOf(new nest.HttpException('canary', 500, { cause: error })).getStatus()).toBe(status);
    },
  );

  it.each([
    'Unexpected end of multipart data',
    'Unexpected end of form',
    'Part terminated early due to unexpected end of multipart data',
    'Multipart: Boundary not found',
  ])('a form is broken, "%s": 400 [practice 6.2]', (message) =>
    expect(problemOf(new Error(message)).getStatus()).toBe(400),
  );

  it('the Prisma client that is installed throws no other codes than these', () => {
    const runtime = readFileSync(createRequire(import.meta.url).resolve('@prisma/client/runtime/client'), 'utf8');
    expect([...new Set(runtime.match(/\bP[1-6]\d{3}\b/g))].toSorted()).toEqual(names(prisma));
  });

  it.each(rows(prisma))('%s: %i [practice 6.2]', (code, status) => {
    const problem = problemOf(Object.assign(new Error('canary'), { code, name: 'PrismaClientKnownRequestError' }));
    expect([problem.getStatus(), problem.detail, problem.extras.headers]).toEqual([
      status,
      undefined,
      status === 503 ? { 'retry-after': '5' } : undefined,
    ]);
  });

  it('Nest has no other exceptions than these', () => {
    expect([...exported.keys()].toSorted()).toEqual(names(exceptions).map((name) => `${name}Exception`));
  });

  it.each(rows(exceptions))('%sException: %i, and its message stays inside [practice 6.2]', (name, status) => {
    const exception = exported.get(`${name}Exception`);
    if (exception === undefined) throw new Error(`there is no ${name}Exception`);
    const problem = problemOf(new exception('canary'));
    expect([problem.getStatus(), problem.detail, problem.extras.errors]).toEqual([status, undefined, undefined]);
  });

  it.each([200, 204, 302, 399, 600])('an exception with the status %i, which is no error: 500', (status) => {
    expect(problemOf(new nest.HttpException('canary', status)).getStatus()).toBe(500);
  });
});
