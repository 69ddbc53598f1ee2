import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Controller, Get, Module } from '@nestjs/common';
import { ApiOkResponse, ApiProduces } from '@nestjs/swagger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Can, peopleAndMachines } from '../../../src/common/access/access.decorators.js';
import { OpenStreams } from '../../../src/common/http/open-streams.js';
import { CurrentPrincipal, type Principal } from '../../../src/common/access/principal.js';
import { signUp } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';
import { samplePermissions } from '../../support/sample/sample.policy.js';
import { SamplesModule } from '../../support/sample/samples.module.js';
import { unlimited } from '../../support/unlimited.js';
import { makeKey, succeed } from './keys.js';

@Controller('v1/events')
class EventsController {
  constructor(private readonly streams: OpenStreams) {}

  @Get()
  @Can(samplePermissions.read, { kinds: peopleAndMachines })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ schema: { type: 'string' } })
  events(@CurrentPrincipal() principal: Principal): Readable {
    const events = new Readable({ read: () => undefined });
    events.push('data: hello\n\n');
    this.streams.addEvents(principal, events);
    return events;
  }
}

@Module({ controllers: [EventsController] })
class EventsModule {}

describe('streams end with the key that opened them [practice 2.2] [ASVS 8.3.2]', () => {
  let app: TestApp;

  beforeAll(async () => {
    unlimited();
    app = await startApp({ modules: [SamplesModule, EventsModule], broken: '/v1/events' });
  });
  afterAll(() => app.close());

  /** Resolves with the first event; `ended` when the answer is complete, or broken off by `stop`. */
  function open(key: string) {
    const { https: port } = app.on(0).addresses;
    const ca = readFileSync(join(app.dataDirectory, 'tls', 'ca.crt'));
    const headers = { host: `localhost:${port}`, authorization: `Bearer ${key}` };
    const options = { host: '127.0.0.1', servername: 'localhost', port, ca, agent: false, headers } as const;
    return new Promise<{ isOpen: () => boolean; ended: Promise<unknown>; stop: () => void }>((resolve, reject) => {
      const call = request({ ...options, path: '/v1/events' }, (answer) => {
        let isOpen = true;
        const ended = new Promise((end) => answer.once('end', () => end('complete')).once('error', end));
        void ended.then(() => (isOpen = false));
        answer.once('data', () => resolve({ isOpen: () => isOpen, ended, stop: () => call.destroy() }));
      });
      call.on('error', reject).end();
    });
  }

  it('is revoked while its stream is open: the stream ends, and that of another key of the owner goes on', async () => {
    const alice = await signUp(app, 'alice');
    const [stolen, good] = [await makeKey(app, alice), await makeKey(app, alice)];
    const [ends, goesOn] = [await open(stolen.key), await open(good.key)];
    expect((await app.request('DELETE', `/v1/api-keys/${stolen.id}`, { token: alice.token })).status).toBe(204);
    expect(await ends.ended).toBe('complete');
    expect(goesOn.isOpen()).toBe(true);
    goesOn.stop();
  });

  it('is replaced without an overlap: the stream of the old key ends', async () => {
    const alice = await signUp(app, 'alice');
    const made = await makeKey(app, alice);
    const stream = await open(made.key);
    expect((await succeed(app, alice, made.id, 0)).status).toBe(201);
    expect(await stream.ended).toBe('complete');
  });
});
