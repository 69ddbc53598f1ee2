import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { requestContext, type RequestContext } from './request-context.js';

export interface Arrival {
  readonly address: string;
  /**
   * Health and development pages are counted apart: no flood on the public side makes an orchestrator think that the
   * service is gone.
   */
  readonly listener: 'public' | 'internal';
  /** Adds an item to a header field of the answer. */
  readonly tell?: (name: string, item: string) => void;
}

/** An exchange that is over. */
export interface Answered {
  readonly listener: 'https' | 'http' | 'internal';
  readonly method: string;
  /** The pattern of the route; left out where none was found. */
  readonly route?: string | undefined;
  /** undefined: the client went away before there was an answer. */
  readonly status: number | undefined;
  readonly milliseconds: number;
  readonly context: RequestContext;
  /** Over HTTPS. */
  readonly exchange?: { readonly request: FastifyRequest; readonly reply: FastifyReply };
}

type Rule = (arrival: Arrival) => Promise<void>;

/**
 * Where every listener has a request counted, once, before anything else is done for it: also plain HTTP, targets that
 * the router cannot read, and what the HTTP parser refuses. Practices add their rules, asked in the order of the table;
 * without one nothing is counted.
 */
@Injectable()
export class RequestCounter {
  private readonly rules: Rule[] = [];
  /** Exchanges over HTTPS that have begun and not ended. */
  inFlight = 0;
  private readonly listeners: ((answered: Answered) => void)[] = [];

  countBy(rule: Rule): void {
    this.rules.push(rule);
  }

  /** @throws Problem of the first rule that refuses: too-many-requests, blocked. */
  async count(arrival: Arrival): Promise<void> {
    for (const rule of this.rules) await rule(arrival);
  }

  /**
   * Hears of every exchange that is over, on any listener, whoever refused it. Must not throw and must not block.
   * @public: every user of it can be removed.
   */
  onAnswered(listener: (answered: Answered) => void): void {
    this.listeners.push(listener);
  }

  answered(answered: Answered): void {
    for (const listener of this.listeners) listener(answered);
  }
}

/**
 * Tells of each exchange when its response closes: what guards, router and parser refuse meets no interceptor, and what
 * the client breaks off has no other end. To be called after `openRequestContexts()` and before any module is made, so
 * that no practice refuses in front of it.
 */
export function tellAnswered(instance: FastifyInstance, counter: RequestCounter): void {
  instance.addHook('onRequest', (request, reply, done) => {
    const context = requestContext();
    const startedAt = performance.now();
    counter.inFlight += 1;
    reply.raw.once('close', () => {
      counter.inFlight -= 1;
      if (context === undefined) return;
      counter.answered({
        listener: 'https',
        method: request.method,
        route: request.is404 ? undefined : request.routeOptions.url,
        status: reply.raw.headersSent ? reply.raw.statusCode : undefined,
        milliseconds: performance.now() - startedAt,
        context,
        exchange: { request, reply },
      });
    });
    done();
  });
}
