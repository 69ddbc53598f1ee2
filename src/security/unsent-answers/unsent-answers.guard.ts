import { Readable } from 'node:stream';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { networkOf } from '../../common/http/network.js';
import type { Principal } from '../../common/access/principal.js';
import { requestContext } from '../../common/http/request-context.js';
import { UnsentAnswers, type UnsentAnswer } from './unsent-answers.js';

const UNSENT = Symbol('unsent answer');

type CountedRequest = FastifyRequest & { [UNSENT]: UnsentAnswer | null; readonly user?: Principal };

/** Asks for room before the handler reads anything from the database: here the caller is known. */
@Injectable()
export class UnsentAnswersGuard implements CanActivate {
  constructor(private readonly answers: UnsentAnswers) {}

  canActivate(context: ExecutionContext): true {
    const request = context.switchToHttp().getRequest<CountedRequest>();
    const answer = request[UNSENT];
    if (answer !== null) this.answers.claim(answer, request.user?.userId ?? answer.caller);
    return true;
  }
}

/** Counts each request from its head to the last byte of its answer. */
export function countAnswers(instance: FastifyInstance, answers: UnsentAnswers): void {
  instance.decorateRequest(UNSENT, null);
  instance.addHook('onRequest', (request, reply, done) => {
    const caller = networkOf(requestContext()?.address ?? request.socket.remoteAddress ?? 'unknown');
    try {
      const answer = answers.begin(request.raw.socket, caller);
      (request as CountedRequest)[UNSENT] = answer;
      reply.raw.once('close', () => answers.end(answer));
      done();
    } catch (error) {
      done(error as Error);
    }
  });
  instance.addHook('onSend', (request, _reply, payload, done) => {
    const answer = (request as CountedRequest)[UNSENT];
    if (answer === null) return done(null, payload);
    try {
      done(null, payload instanceof Readable ? paced(payload, answers, answer) : sized(payload, answers, answer));
    } catch (error) {
      // The answer that says so is counted too; it is small.
      (request as CountedRequest)[UNSENT] = null;
      done(error as Error);
    }
  });
}

function sized(payload: unknown, answers: UnsentAnswers, answer: UnsentAnswer): unknown {
  answers.fill(answer, typeof payload === 'string' || Buffer.isBuffer(payload) ? Buffer.byteLength(payload) : 0);
  return payload;
}

/**
 * A stream counts as one running request, whose client has to take each chunk in time. It is read no faster than the
 * client reads.
 */
function paced(payload: Readable, answers: UnsentAnswers, answer: UnsentAnswer): Readable {
  answers.fill(answer, answer.bytes);
  return Readable.from(
    counted(payload, (bytes) => answers.expect(answer, bytes)),
    { objectMode: false, highWaterMark: 1 },
  );
}

async function* counted(payload: Readable, onChunk: (bytes: number) => void): AsyncGenerator<Buffer, void> {
  for await (const chunk of payload as AsyncIterable<Buffer | string>) {
    const bytes = Buffer.from(chunk);
    onChunk(bytes.length);
    yield bytes;
  }
}
