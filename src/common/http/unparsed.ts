import { randomUUIDv7 } from 'node:crypto';
import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from '@nestjs/common';
import { accessLine } from '../access/access-line.js';
import { Problem, type GeneralProblem } from './problem.js';
import { problemDocument } from './problem-document.js';
import { traceOf } from './trace-context.js';
import { runInRequestContext, type RequestContext } from './request-context.js';

/** What a listener does with what never becomes a request. */
export interface UnparsedRules {
  readonly logger: Logger;
  /** Asked once for each. @throws Problem too-many-requests */
  count(address: string): Promise<void>;
  /** Told of each answer to what never began. */
  answered(status: number, context: RequestContext): void;
  /** Those of every response of the listener. */
  headers(): Readonly<Record<string, string>>;
  /** What else is to be said and done about it. */
  denied?(problem: Problem, socket: Socket): Promise<Problem>;
}

/**
 * Answers what Node's HTTP parser refuses before there is a request, for example smuggling (two lengths, a length and a
 * transfer coding) or headers that never end: a problem document with all headers, one line in the log, and counted
 * like every request. The connection always closes: after a framing fault nobody can tell where the next request begins
 * (ASVS v5.0.0-4.2.1; RFC 9112 section 11.2).
 */
export async function answerUnparsed(
  error: Error & { readonly code?: string },
  socket: Socket,
  rules: UnparsedRules,
): Promise<void> {
  const type = typeOf(error.code ?? '');
  const begun = responseOn(socket);
  // A reset, a broken TLS handshake, or a response that is half out: there is nobody to answer.
  if (type === undefined || !socket.writable || begun?.headersSent) return void socket.destroy();
  const context = { requestId: randomUUIDv7(), trace: traceOf(undefined), address: socket.remoteAddress ?? 'unknown' };
  await runInRequestContext(context, async () => {
    // A request whose body breaks off was counted when it began.
    const problem = await decide(new Problem(type), socket, { rules, isCounted: begun !== undefined });
    // While that was decided, the handler may have answered the request whose body has broken off.
    if (responseOn(socket)?.headersSent) socket.destroy();
    writeProblem(socket, problem, context.requestId, rules.headers());
    const status = problem.getStatus();
    const line = accessLine({ ...context, method: 'unparsed', target: '-', status, milliseconds: 0 });
    // What had begun is told when its response closes.
    if (begun === undefined) rules.answered(status, context);
    rules.logger.warn({ ...line, 'error.code': error.code });
  });
}

/** The refusal, or what is refused with instead: a counter that fails lets nothing through here. */
export async function countedOr(problem: Problem, count: () => Promise<Problem | undefined | void>): Promise<Problem> {
  try {
    return (await count()) ?? problem;
  } catch (thrown) {
    return thrown instanceof Problem ? thrown : problem;
  }
}

/** The refusal, or 429 when there were too many of them. */
function decide(
  problem: Problem,
  socket: Socket,
  { rules, isCounted }: { readonly rules: UnparsedRules; readonly isCounted: boolean },
): Promise<Problem> {
  return countedOr(problem, async () => {
    if (!isCounted) await rules.count(socket.remoteAddress ?? 'unknown');
    return rules.denied?.(problem, socket);
  });
}

function typeOf(code: string): GeneralProblem | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request-timeout';
  if (code === 'HPE_HEADER_OVERFLOW') return 'header-fields-too-large';
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 'content-too-large';
  return code.startsWith('HPE_') && code !== 'HPE_INVALID_EOF_STATE' ? 'malformed-request' : undefined;
}

/**
 * Writes a whole answer where there is no request to answer, and ends the connection: nobody can tell where the next
 * request begins.
 */
function writeProblem(
  socket: Socket,
  problem: Problem,
  requestId: string,
  listener: Readonly<Record<string, string>>,
): void {
  if (!socket.writable) return void socket.destroy();
  const { status, headers, body } = problemDocument(problem, requestId, listener);
  const fields = { ...headers, 'content-length': String(Buffer.byteLength(body)), 'connection': 'close' };
  const head = Object.entries({ date: new Date().toUTCString(), ...fields }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join('')}\r\n${body}`, () => socket.destroy());
}

/** The response that Node is about to write on the connection, while there is one. */
const responseOn = (socket: Socket): ServerResponse | undefined =>
  (Reflect.get(socket, '_httpMessage') as ServerResponse | undefined | null) ?? undefined;
