// With: logging.

import { globSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { destinations } from './log-receivers.js';
import { soon, SyslogNg, SyslogNgFleet } from './syslog-ng.js';

const fleet = new SyslogNgFleet();
beforeAll(() => fleet.start(), 60_000);
afterAll(() => fleet.stop());

describe('an outage, by deploy/syslog-ng/ [practice 10.2]', () => {
  const lines: string[] = [];
  beforeAll(async () => {
    await fleet.all((one) => one.receiver.stop());
    lines.push(...(await fleet.writeRequests()));
    await fleet.all((one) => vi.waitFor(() => expect(one.said).toContain('error sending HTTP request'), soon));
    // What syslog-ng has read is not where it was read from any more.
    renameSync(fleet.file, `${fleet.file}.1`);
    await fleet.all((one) => one.kill());
    lines.push(...(await fleet.writeRequests()));
    await fleet.all(async (one) => {
      one.receiver.mode = 503;
      one.start();
      await one.receiver.start(fleet.certificate);
      await vi.waitFor(() => expect(one.receiver.refusals).toContain('503 by the test'), soon);
      one.receiver.mode = 504;
      // More often than syslog-ng takes a 504 by default.
      const timeouts = () => one.receiver.refusals.filter((refusal) => refusal.startsWith('504'));
      await vi.waitFor(() => expect(timeouts().length).toBeGreaterThan(3), soon);
      one.receiver.mode = 'takes';
    });
  }, 120_000);

  it.each(destinations)('%s is down, syslog-ng is killed, 503, 504: every line arrives, once', async (name) => {
    await fleet.of[name].delivers(lines);
    expect(new Set(fleet.of[name].timesOf(lines))).toEqual(new Set([1]));
  });
});

describe('an outage that is longer than the spool, by deploy/syslog-ng/ [practice 10.2]', () => {
  let shipper: SyslogNg;
  afterAll(async () => {
    await shipper.stop();
  });

  it('syslog-ng stops reading, and every line arrives from the file, once', async () => {
    const { directory } = fleet;
    const paths = { log: join(directory, 'long.log'), configuration: join(directory, 'small.conf') };
    // The recipe with a spool that a test can fill.
    const sizes = 'disk-buf-size(2097152) mem-buf-size(1048576)';
    const recipe = readFileSync('deploy/syslog-ng/base.conf', 'utf8');
    writeFileSync(paths.configuration, recipe.replace(/disk-buf-size\(\d+\) mem-buf-size\(\d+\)/, sizes));
    const line = '{"log.level":"info","@timestamp":"2026-01-02T03:04:05.678Z","message":"filler","n":';
    const lines = Array.from({ length: 10_000 }, (_, n) => `${line}${n}}`);
    writeFileSync(paths.log, `${lines.join('\n')}\n`);
    shipper = new SyslogNg({ destination: 'elasticsearch', caFile: fleet.authority.caFile, ...paths });
    await shipper.receiver.start(fleet.certificate);
    await shipper.receiver.stop();
    shipper.start();
    const spooled = () => globSync(`${shipper.spool}/*.rqf`).reduce((sum, one) => sum + statSync(one).size, 0);
    await vi.waitFor(() => expect(spooled()).toBeGreaterThan(1_000_000), soon);
    await shipper.receiver.start(fleet.certificate);
    await shipper.delivers(lines);
    expect(shipper.receiver.received).toHaveLength(lines.length);
    expect(shipper.said).not.toContain('dropping');
  }, 90_000);
});

describe('a request that is refused for what is in it, by deploy/syslog-ng/ [practice 10.2]', () => {
  let refused: string[];
  let lines: string[];
  beforeAll(async () => {
    await fleet.all((one) => {
      one.receiver.refusals.length = 0;
      one.receiver.mode = 400;
    });
    refused = await fleet.writeRequests();
    await fleet.all(async ({ receiver }) => {
      await vi.waitFor(() => expect(receiver.refusals).toEqual(['400 by the test']), soon);
      receiver.mode = 'takes';
    });
    lines = await fleet.writeRequests();
  });

  it.each(destinations)('%s: its lines are lost, and the lines after it arrive', async (name) => {
    await fleet.of[name].delivers(lines);
    expect(new Set(fleet.of[name].timesOf(refused))).toEqual(new Set([0]));
    expect(fleet.of[name].said).toContain('dropped');
  });
});

describe('an answer that is lost, by deploy/syslog-ng/ [practice 10.2]', () => {
  it('elasticsearch: the line is sent again under its id, and stays one document', async () => {
    const { receiver } = fleet.of.elasticsearch;
    const before = receiver.seen.length;
    receiver.mode = 'forgets';
    const lines = await fleet.writeRequests();
    await vi.waitFor(() => expect(receiver.seen.length).toBeGreaterThan(before), soon);
    receiver.mode = 'takes';
    await vi.waitFor(() => expect(receiver.seen.length).toBeGreaterThan(before + 1), soon);
    expect(fleet.of.elasticsearch.timesOf(lines)).toEqual(lines.map(() => 1));
  });
});
