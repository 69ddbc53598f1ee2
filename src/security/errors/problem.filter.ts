import { validateHeaderValue } from 'node:http';
import { Catch, Injectable, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { pathOf } from '../../common/access/access-line.js';
import { Problem } from '../../common/http/problem.js';
import { problemDocument } from '../../common/http/problem-document.js';
import { responseHeaders } from '../../common/http/response-headers.js';
import { RouteTable } from '../../common/http/route-table.js';
import { problemOf } from './problem-of.js';
import { firstThatWorks } from './crash-handlers.js';

/** Turns whatever was thrown into `application/problem+json` (RFC 9457). Nothing else writes error bodies. */
@Catch()
@Injectable()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Errors');

  constructor(private readonly routes: RouteTable) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.getArgByIndex<FastifyRequest>(0);
    const reply = host.getArgByIndex<FastifyReply>(1);
    // The client went away while its body was read. There is nobody to answer, and nothing of ours is broken.
    if (thrown !== null && thrown === request.raw.errored) return;
    try {
      const problem = this.refine(problemOf(thrown), request);
      if (problem.getStatus() >= 500) this.logFault(thrown, request);
      this.answer(problem, request, reply);
    } catch (fault) {
      // What was thrown cannot even be looked at. Without this net Nest would write the fault's message itself.
      this.logFault(fault, request);
      firstThatWorks(
        () => this.answer(new Problem('internal-error'), request, reply),
        () => reply.raw.destroy(),
      );
    }
  }

  private answer(problem: Problem, request: FastifyRequest, reply: FastifyReply): void {
    if (reply.raw.writableEnded) return;
    // Half an answer is out already: a second one behind it would be read as its body. Cut the connection instead.
    if (reply.sent || reply.raw.headersSent) return void reply.raw.destroy();
    dropUnwritable(reply);
    const { status, headers, body } = problemDocument(problem, request.id, responseHeaders());
    void reply.code(status).headers(headers).send(body);
  }

  /** What the client needs to go on: the methods that exist (405), or how to authenticate (401). */
  private refine(problem: Problem, request: FastifyRequest): Problem {
    if (problem.type === 'not-found' && request.is404) return this.unknownRoute(problem, request);
    if (problem.type !== 'unauthenticated' || problem.extras.headers?.['WWW-Authenticate'] !== undefined)
      return problem;
    // RFC 6750 section 3.1: no error code for a caller who sent no credential at all.
    const sent = request.headers.authorization !== undefined;
    return withHeader(problem, 'WWW-Authenticate', sent ? 'Bearer error="invalid_token"' : 'Bearer');
  }

  private unknownRoute(problem: Problem, request: FastifyRequest): Problem {
    const methods = this.routes.methodsOf(pathOf(request.raw.url ?? ''));
    if (methods.length === 0) return problem;
    return withHeader(new Problem('method-not-allowed'), 'Allow', methods.join(', '));
  }

  /** Everything about the fault, on the server only, under the id that the client was given (practice 6.3). */
  private logFault(error: unknown, request: FastifyRequest): void {
    const where = {
      'event.action': 'sys_error',
      'http.request.id': request.id,
      'http.route': request.routeOptions.url,
    };
    firstThatWorks(
      () => this.logger.error({ message: 'a request failed', ...where, error }),
      // It explodes when it is read, or the log is broken: no reason to leave the caller without an answer (ASVS
      // v5.0.0-16.5.4).
      () => this.logger.error({ message: 'a request failed with what cannot be logged', ...where }),
      () => process.stderr.write(`a request failed, and the log does not work: ${request.id}\n`),
    );
  }
}

const withHeader = (problem: Problem, name: string, value: string): Problem =>
  new Problem(problem.kind, problem.detail, {
    ...problem.extras,
    headers: { ...problem.extras.headers, [name]: value },
  });

/**
 * A line break in a header that a handler has set (ASVS v5.0.0-1.2.1): Node refuses to write it. It would refuse this
 * answer too, and then Fastify writes the fault's message itself, without one header of ours.
 */
function dropUnwritable(reply: FastifyReply): void {
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    const check = () => [value].flat().forEach((one) => validateHeaderValue(name, String(one)));
    firstThatWorks(check, () => reply.removeHeader(name));
  }
}
