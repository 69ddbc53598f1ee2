import { ReplyError } from 'ioredis';
import { DatabaseError } from 'pg';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../src/config/index.js';
import { Prisma } from '../../../src/generated/prisma/client.js';
import { createLogger } from '../../../src/security/logging/logger.js';
import { NestLogger } from '../../../src/security/logging/nest-logger.js';

const canary = 'canary-value-4711';

/** The line of a fault, as the filter of problems logs it. */
function lineOf(error: unknown): { text: string; line: Record<string, unknown> } {
  const lines: string[] = [];
  new NestLogger(createLogger({ logLevel: 'debug' }, { write: (line) => void lines.push(line) })).error(
    { message: 'a request failed', error },
    'Test',
  );
  return { text: lines.join(''), line: JSON.parse(lines[0] ?? '{}') as Record<string, unknown> };
}

const thrownBy = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

/** What libraries make of a value, with all the fields that theirs have. */
const databaseError = Object.assign(new DatabaseError(`duplicate key (${canary})`, 1, 'error'), {
  code: '23505',
  detail: `Key (email)=(${canary}) already exists.`,
  where: canary,
  internalQuery: canary,
  hint: canary,
  table: 'users',
  constraint: 'users_email_key',
});
const clientVersion = '7.10.0';
const driverAdapterError = { name: 'DriverAdapterError', cause: { originalCode: '23505', originalMessage: canary } };
const quoting: Record<string, unknown> = {
  'PrismaClientValidationError': new Prisma.PrismaClientValidationError(
    `Invalid invocation: { data: { name: "${canary}" } }`,
    { clientVersion },
  ),
  'PrismaClientKnownRequestError': new Prisma.PrismaClientKnownRequestError(canary, {
    code: 'P2002',
    clientVersion,
    meta: { modelName: 'User', target: [canary], driverAdapterError },
  }),
  'PrismaClientUnknownRequestError': new Prisma.PrismaClientUnknownRequestError(canary, { clientVersion }),
  'pg DatabaseError': databaseError,
  'JSON.parse': thrownBy(() => JSON.parse(`{"password":${canary}`)),
  'new URL': thrownBy(() => new URL(`//${canary}`)),
  'BigInt': thrownBy(() => BigInt(canary)),
  'Buffer': thrownBy(() => Buffer.from(7 as unknown as string, canary as BufferEncoding)),
  'an engine that prints the value': thrownBy(() => 'key' in (canary as unknown as object)),
  'ioredis ReplyError': Object.assign(Object.create(ReplyError.prototype) as Error, {
    message: `WRONGTYPE ${canary}`,
    stack: `ReplyError: WRONGTYPE ${canary}`,
    command: { name: 'set', args: [canary] },
  }),
  'nodemailer': Object.assign(new TypeError(`550 <${canary}> unknown`), {
    code: 'EENVELOPE',
    responseCode: 550,
    response: canary,
    command: 'RCPT TO',
  }),
  'a chain of causes': new Error('outer', { cause: new Error('middle', { cause: databaseError }) }),
  'AggregateError': new AggregateError([databaseError, thrownBy(() => JSON.parse(canary))], canary),
  'a thrown text': canary,
  'a thrown object': { [canary]: canary, nested: { value: canary } },
  'a text that looks like a stack': Object.assign(new TypeError(`x\n    at ${canary} of a row`), {}),
  'fields of an error in an object': { error: undefined, list: [databaseError] },
};

describe('an error goes into the log by the list of what may be logged of it [practice 7.4] [ASVS 16.2.5]', () => {
  it.each(Object.entries(quoting))(
    '%s quotes a value of the request: the value is in no field of the line',
    (_name, error) => {
      const { text, line } = lineOf(error);
      expect(text).not.toContain(canary);
      expect(line['error.type']).toMatch(/^[\w$.]+$/);
    },
  );

  it('tells what leads to the fault: type, code, place in the schema, and where it happened', () => {
    expect(lineOf(quoting['PrismaClientKnownRequestError']).line).toMatchObject({
      'error.type': 'PrismaClientKnownRequestError',
      'error.code': 'P2002',
      'error.facts': { modelName: 'User' },
    });
    expect(lineOf(databaseError).line).toMatchObject({
      'error.code': '23505',
      'error.facts': { table: 'users', constraint: 'users_email_key' },
    });
    expect(lineOf(quoting['a chain of causes']).line['error.stack_trace']).toMatch(
      /^Error: outer\n {4}at [^]*errors\.test\.ts[^]*caused by: Error: middle[^]*caused by: error 23505/,
    );
    expect(lineOf(quoting['ioredis ReplyError']).line['error.code']).toBe('WRONGTYPE');
    expect(lineOf(quoting['nodemailer']).line['error.facts']).toEqual({ responseCode: 550, command: 'RCPT TO' });
  });

  it('keeps the text of what the application itself threw, and of the engine where it names no value', () => {
    expect(lineOf(new Error('the outbox is full')).line['error.message']).toBe('the outbox is full');
    expect(lineOf(new ConfigurationError(['KEY_RING_FILE is not set'])).line['error.message']).toContain(
      'KEY_RING_FILE',
    );
    expect(lineOf(thrownBy(() => (undefined as unknown as { x: number }).x)).line['error.message']).toBe(
      "Cannot read properties of undefined (reading 'x')",
    );
  });

  it('Nest passes a stack as text: its frames are kept, its first lines are not', () => {
    const lines: string[] = [];
    const logger = new NestLogger(createLogger({ logLevel: 'debug' }, { write: (line) => void lines.push(line) }));
    logger.error('it failed', `Error: ${canary}\n    at run (/app/dist/x.js:1:2)`, 'Test');
    expect(lines.join('')).not.toContain(canary);
    expect(JSON.parse(lines[0] ?? '{}')).toMatchObject({
      'message': 'it failed',
      'error.stack_trace': '    at run (/app/dist/x.js:1:2)',
    });
  });
});
