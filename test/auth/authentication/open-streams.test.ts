import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { Controller, Get, Module } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiProduces } from '@nestjs/swagger';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Can } from '../../../src/common/access/access.decorators.js';
import { PersonalData } from '../../../src/common/events/personal-data.js';
import { OpenStreams } from '../../../src/common/http/open-streams.js';
import { CurrentPrincipal, type Principal } from '../../../src/common/access/principal.js';
import { accountPermissions } from '../../../src/users/users.permissions.js';
import { signIn, signUp, type Actor } from '../../support/actors.js';
import { startApp, type TestApp } from '../../support/app.js';

@ApiBearerAuth()
@Controller('v1/events')
class EventsController {
  constructor(private readonly streams: OpenStreams) {}

  @Get()
  @Can(accountPermissions.read)
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

describe('open streams end with their session [ASVS 7.4.1] [ASVS 8.3.2] [practice 3.3]', () => {
  let app: TestApp;
  let alice: Actor;
  let bob: Actor;

  beforeAll(async () => {
    app = await startApp({ modules: [EventsModule], broken: '/v1/events' });
    [alice, bob] = await Promise.all([signUp(app, 'alice'), signUp(app, 'bob')]);
  });
  afterAll(() => app.close());

  /** Opens a stream on an instance: resolves with its first event; `ended` when the answer is complete. */
  function open(instance: number, token: string, path = '/v1/events') {
    const { https: port } = app.on(instance).addresses;
    const ca = readFileSync(join(app.dataDirectory, 'tls', 'ca.crt'));
    const headers = { host: `localhost:${port}`, authorization: `Bearer ${token}` };
    return new Promise<{ first: string; ended: Promise<unknown> }>((resolve, reject) => {
      const options = { host: '127.0.0.1', servername: 'localhost', port, ca, path, agent: false, headers };
      request(options, (answer) => {
        const ended = new Promise((end) =>
          answer.once('end', () => end('complete')).once('error', () => end('broken off')),
        );
        answer.once('data', (chunk: Buffer) => resolve({ first: chunk.toString(), ended }));
      })
        .on('error', reject)
        .end();
    });
  }

  it('signs out: its streams end at once on every instance, and those of others go on', async () => {
    const session = await signIn(app, alice);
    const streams = await Promise.all(app.instances.map((_, instance) => open(instance, session.token)));
    const other = await open(0, alice.token);
    expect(streams[0]?.first).toBe('data: hello\n\n');
    const { status } = await app.request('POST', '/v1/auth/logout', { token: session.token });
    expect(status).toBe(204);
    expect(await Promise.all(streams.map(({ ended }) => ended))).toEqual(app.instances.map(() => 'complete'));
    expect(await Promise.race([other.ended, Promise.resolve('open')])).toBe('open');
    await app.request('DELETE', '/v1/auth/sessions/others', { token: (await signIn(app, alice)).token });
    expect(await other.ended).toBe('complete');
  });

  it('is signed out in the middle of an export: the rest of it does not leave', async () => {
    const endless = async function* (): AsyncGenerator<object[], void> {
      for (;;) yield await setTimeout(10, [{}]);
    };
    const read = vi.spyOn(PersonalData.prototype, 'read').mockImplementation(async function* () {
      yield ['events', endless()] as const;
    });
    const { ended } = await open(0, bob.token, '/v1/users/me/export');
    await vi.waitFor(() => expect(read).toHaveBeenCalled());
    await app.request('POST', '/v1/auth/logout', { token: bob.token });
    expect(await ended).toBe('broken off');
    read.mockRestore();
  });
});
