import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { Measures } from '../../common/events/measures.js';
import { OpenStreams } from '../../common/http/open-streams.js';
import { CONFIG, type Config } from '../../config/index.js';
import { boundConnections } from './connections.js';

/**
 * So long nothing may have arrived before the listener closes: every busy connection has heard `Connection: close`
 * then.
 */
const quietMs = 300;
/** Clients that do not stop are not waited for. */
const maxWaitMs = 2_000;
const stepMs = 25;
/** What the audit trail and the database need after the cut to end in order. */
const closingMs = 3_000;

/**
 * Ends the listener so that no request in flight is lost: first every answer says `Connection: close` while requests
 * are still taken, then Nest closes the listener, and idle connections go one by one. The rest is cut early enough that
 * the service still closes in order: a client that never ends its request must not cost the audit trail its last
 * events.
 */
@Injectable()
export class Drain implements BeforeApplicationShutdown {
  draining = false;
  /** Complete requests that the cut took their answer from. */
  unanswered = 0;
  private lastArrival = 0;
  private readonly server: Server;
  private readonly connections: ReadonlySet<Socket>;
  private readonly running = new Set<FastifyReply>();

  constructor(
    host: HttpAdapterHost,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(OpenStreams) private readonly streams: OpenStreams,
    measures: Measures,
  ) {
    measures.add({
      name: 'open_streams',
      help: 'Answers that have no end of their own, or take long.',
      read: () => streams.size,
    });
    this.server = host.httpAdapter.getHttpServer();
    this.connections = boundConnections(this.server, config.trustedProxies);
    this.server.on('connection', () => this.arrived());
    const instance: FastifyInstance = host.httpAdapter.getInstance();
    instance.addHook('onRequest', (request, reply, done) => {
      this.running.add(reply);
      reply.raw.once('close', () => this.running.delete(reply));
      // An answer that waits behind another one of a pipeline is not told that the connection is gone; its request is.
      request.raw.once('close', () => request.raw.socket.destroyed && this.running.delete(reply));
      done();
    });
    instance.addHook('onSend', (_request, reply, _payload, done) => {
      if (this.draining) {
        this.arrived();
        reply.header('connection', 'close');
      }
      done();
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.draining = true;
    // They would end never: to wait for them is to be cut off in the middle, and to leave with a failure.
    this.streams.endAll();
    if (!this.server.listening) return;
    this.arrived();
    // Counted from here, which is the signal. Half of a time that is too short for both is left to the closing.
    const limit = this.config.shutdownTimeoutSeconds * 1000;
    const cutAfter = Math.max(limit / 2, limit - closingMs);
    const cut = setTimeout(() => this.cut(), cutAfter);
    const end = performance.now() + Math.min(maxWaitMs, cutAfter);
    const waits = () => performance.now() < Math.min(end, this.lastArrival + quietMs);
    while (waits() && this.connections.size > 0) await sleep(stepMs);
    const sweep = setInterval(() => this.server.closeIdleConnections(), stepMs);
    this.server.once('close', () => {
      clearInterval(sweep);
      clearTimeout(cut);
    });
  }

  private cut(): void {
    this.unanswered = [...this.running].filter(({ request, raw }) => request.raw.complete && !raw.writableEnded).length;
    // Not closeAllConnections(): it does not know those that never finished, or never began, their TLS handshake.
    for (const socket of this.connections) socket.destroy();
  }

  private arrived(): void {
    this.lastArrival = performance.now();
  }
}
