// With: logging.

import { Logger } from '@nestjs/common';
import { appendFileSync, globSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { plainText } from '../../support/naughty-strings.js';
import { Authority, serverNames, type CertificateFiles } from '../../support/tls-servers.js';
import { destinations, protocols } from './log-receivers.js';
import { secret, soon, SyslogNgFleet } from './syslog-ng.js';

const fleet = new SyslogNgFleet();
beforeAll(() => fleet.start(), 60_000);
afterAll(() => fleet.stop());

const tellTime = (line: string): number => Date.parse((JSON.parse(line) as Record<string, string>)['@timestamp'] ?? '');

describe('lines of a real log, by deploy/syslog-ng/ [practice 10.2] [ASVS 16.4.3]', () => {
  let lines: string[];
  beforeAll(async () => {
    const logger = new Logger('Test');
    for (const text of [...plainText, 'a\r\n{"log.level":"info","message":"forged"}', '`x`$(y)${HOST}', 'ü😀\u2028"\\'])
      logger.warn({ message: text, nested: { list: [text, 1.5e-7, null, true, {}] } });
    await fleet.app.request('GET', '/v1/a%0d%0a%7b%22message%22:%22forged%22%7d');
    lines = await fleet.writeRequests();
  });

  it.each(destinations)('%s: each arrives once, as it was written, at its own time', async (name) => {
    const { receiver, ...shipper } = fleet.of[name];
    await fleet.of[name].delivers(lines);
    expect(receiver.received.map(({ line }) => line).toSorted()).toEqual(lines.toSorted());
    for (const { line, time = tellTime(line) } of receiver.received) expect(time).toBe(tellTime(line));
    expect(receiver.refusals, shipper.said).toEqual([]);
  });
});

describe('lines that no logger wrote, by deploy/syslog-ng/ [practice 10.2]', () => {
  const half = '{"log.level":"info","@timestamp":"2026-01-02T03:04:05.678Z","message":"ha';
  const broken = [
    'Error: a "crash"\\',
    `${half}${half}lf"}`,
    `${half}lf"}{"x":1}`,
    `${half}\t"}`,
    '[1]',
    `${half}lf",}`,
  ];
  let lines: string[];
  beforeAll(async () => {
    appendFileSync(
      fleet.file,
      Buffer.concat([Buffer.from(`${broken.join('\n')}\n{"x":"`), Buffer.from([0xff]), Buffer.from('"}\n')]),
    );
    lines = await fleet.writeRequests();
  });

  it.each(destinations)('%s: each is the message of a line, and costs no other line', async (name) => {
    const { receiver } = fleet.of[name];
    await fleet.of[name].delivers(lines);
    const others = receiver.received.map(({ line }) => JSON.parse(line) as Record<string, unknown>);
    for (const message of [...broken, '{"x":"\\xff"}'])
      expect(others).toContainEqual(expect.objectContaining({ message, 'log.level': 'error', 'service.name': 'api' }));
    expect(receiver.refusals).toEqual([]);
  });
});

describe('the file of the log, by deploy/syslog-ng/ [practice 10.2]', () => {
  let lines: string[];
  beforeAll(async () => {
    const rotated = `${fleet.file}.1`;
    renameSync(fleet.file, rotated);
    lines = await fleet.writeRequests(rotated);
    lines.push(...(await fleet.writeRequests()));
  });

  it.each(destinations)('%s: what is written before and after a rotation arrives, once', async (name) => {
    await fleet.of[name].delivers(lines);
    expect(new Set(fleet.of[name].timesOf(lines))).toEqual(new Set([1]));
  });
});

describe('the credential, by deploy/syslog-ng/ [practice 10.2]', () => {
  let lines: string[];
  beforeAll(async () => {
    await fleet.all((one) => {
      one.receiver.secret = 'another';
      one.receiver.refusals.length = 0;
    });
    lines = await fleet.writeRequests();
  });

  it.each(destinations)('%s: refused, nothing is lost until it is the right one', async (name) => {
    const { receiver } = fleet.of[name];
    const refusal = `${protocols[name].wrongCredential} credential`;
    await vi.waitFor(() => expect(receiver.refusals.length).toBeGreaterThan(1), soon);
    expect(new Set(receiver.refusals)).toEqual(new Set([refusal]));
    receiver.secret = secret;
    await fleet.of[name].delivers(lines);
  });

  it.each(destinations)(
    '%s: it is nowhere but in its header: not in a URL, a body, a file, an argument [ASVS 13.3.1]',
    async (name) => {
      const { receiver, said, spool, process: child } = fleet.of[name];
      await vi.waitFor(() => expect(receiver.seen).not.toEqual([]), soon);
      const kept = globSync('**/*', { cwd: spool }).filter((one) => !/control/.test(one));
      const texts = [...kept.map((one) => readFileSync(join(spool, one), 'latin1')), ...receiver.seen, said];
      texts.push(readFileSync(`/proc/${child?.pid}/cmdline`, 'utf8'));
      // Basic is base64.
      const traces = ['canary-', protocols[name].credential(secret).split(' ').at(-1) ?? ''];
      for (const text of texts) expect(traces.filter((trace) => text.includes(trace))).toEqual([]);
      expect(kept.length).toBeGreaterThan(1);
    },
  );
});

describe('the certificate, by deploy/syslog-ng/ [practice 10.2] [ASVS 12.3.2]', () => {
  const impostor = async (kind: string): Promise<CertificateFiles> => {
    if (kind === 'another name')
      return fleet.authority.issue('elsewhere', [{ type: 'dns', value: 'elsewhere.example' }]);
    stranger = await Authority.create();
    return stranger.issue('receiver', serverNames);
  };
  let stranger: Authority | undefined;
  afterAll(() => stranger?.remove());

  it.each(['another name', 'another authority'])(
    'is of %s: nothing is sent until it is the right one',
    async (kind) => {
      const files = await impostor(kind);
      await fleet.all((one) => one.receiver.stop());
      await fleet.all((one) => one.receiver.start(files));
      const before = destinations.map((name) => fleet.of[name].receiver.seen.length);
      const said = destinations.map((name) => fleet.of[name].said.length);
      const lines = await fleet.writeRequests();
      for (const [at, name] of destinations.entries())
        await vi.waitFor(() => expect(fleet.of[name].said.slice(said[at])).toContain('SSL peer certificate'), soon);
      expect(destinations.map((name) => fleet.of[name].receiver.seen.length)).toEqual(before);
      await fleet.all((one) => one.receiver.stop());
      await fleet.all((one) => one.receiver.start(fleet.certificate));
      await fleet.all((one) => one.delivers(lines));
    },
    90_000,
  );
});
