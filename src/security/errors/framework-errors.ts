import { Logger } from '@nestjs/common';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { accessLine } from '../../common/access-line.js';
import { problemDocument } from '../../common/problem-document.js';
import { responseHeaders } from '../../common/response-headers.js';
import { problemOf } from './problem-of.js';

const logger = new Logger('Errors');

/**
 * For Fastify's `frameworkErrors`: targets that the router cannot read (`/%zz`, a segment that is too long). No hook runs
 * for them, so headers, id and log line are made here.
 */
export function frameworkErrors(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const { status, headers, body } = problemDocument(problemOf(error), request.id, responseHeaders());
  const { method, url: target = '' } = request.raw;
  const address = request.socket.remoteAddress ?? 'unknown';
  logger.log(accessLine({ requestId: request.id, address, method: method ?? '', target, status, milliseconds: 0 }));
  void reply.code(status).headers(headers).send(body);
}
