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
import { samplePermissions } from '../../support/sample/sample.policy.js';
import { uri, type ClientPair } from './client-authority.js';
import { machineUri, MtlsApp } from './mtls-app.js';

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

describe('streams end with the certificate that opened them [practice 2.2] [ASVS 8.3.2]', () => {
  let mtls: MtlsApp;

  beforeAll(async () => {
    mtls = await MtlsApp.start({ withList: true, modules: [EventsModule] });
  });
  afterAll(() => mtls.close());

  /** Resolves with the first event; `ended` when the answer is complete, or broken off by `stop`. */
  function open({ cert, key }: ClientPair) {
    const { https: port } = mtls.app.on(0).addresses;
    const ca = readFileSync(join(mtls.app.dataDirectory, 'tls', 'ca.crt'));
    const options = { host: '127.0.0.1', servername: 'localhost', port, ca, cert, key, agent: false } as const;
    return new Promise<{ isOpen: () => boolean; ended: Promise<unknown>; stop: () => void }>((resolve, reject) => {
      const call = request({ ...options, path: '/v1/events', headers: { host: `localhost:${port}` } }, (answer) => {
        let isOpen = true;
        const ended = new Promise((end) => answer.once('end', () => end('complete')).once('error', end));
        void ended.then(() => (isOpen = false));
        answer.once('data', () => resolve({ isOpen: () => isOpen, ended, stop: () => call.destroy() }));
      });
      call.on('error', reject).end();
    });
  }

  it('is revoked while its stream is open: the stream ends, and that of another certificate goes on', async () => {
    const stolen = await mtls.authority.issue({ names: [uri(machineUri)] });
    const [revoked, other] = [await open(stolen), await open(mtls.machine)];
    await mtls.replace({ 'ca.crl': await mtls.authority.list([stolen], -0.5) });
    expect(await revoked.ended).toBe('complete');
    expect(other.isOpen()).toBe(true);
    other.stop();
  });
});
