import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Alerts, type Alert } from '../../../../src/common/events/alerts.js';
import { Measures, type Reading } from '../../../../src/common/events/measures.js';
import { AuditSealing } from '../../../../src/security/audit/audit-seals/audit-sealing.js';
import { SealsRepository } from '../../../../src/security/audit/audit-seals/seals.repository.js';
import { endBeside } from '../../../cli/ends.js';
import { startApp, type TestApp } from '../../../support/app.js';
import { Trail } from './trail.js';

describe('the service seals its trail [practice 10.4] [ASVS 16.4.2]', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp({ instances: 1 });
    await app.request('GET', '/v1/users/me');
    await app.auditEvent('authn_token_fail');
    const linked = () => app.sql(`SELECT FROM audit_links WHERE stream = 'refusals'`);
    await vi.waitFor(async () => expect((await linked()).length).toBeGreaterThan(0), 10_000);
    await app.restart();
  });
  afterAll(() => app.close());

  it('nobody asks for it: a refusal has a link, and the chains are signed when the service ends', async () => {
    const notes = await app.sql<{ note: string }>('SELECT note FROM audit_checkpoints ORDER BY stream');
    expect(notes.map(({ note }) => note.split('\n')[0])).toEqual([
      expect.stringMatching(/\/audit\/changes$/),
      expect.stringMatching(/\/audit\/refusals$/),
    ]);
  });

  // With: logging.
  it('checkpoints leave with the log, past its redaction, and a line of it is one to verify with', async () => {
    const lines = app.logs().filter((line) => line['event.action'] === 'audit_checkpoint');
    const stored = await app.sql<{ note: string }>('SELECT note FROM audit_checkpoints');
    const logged = lines.map((line) => (line['audit.checkpoint'] as string[]).join(''));
    expect(logged.toSorted()).toEqual(stored.map(({ note }) => note).toSorted());
    const file = join(app.dataDirectory, 'service.log');
    writeFileSync(file, app.logText());
    expect(await endBeside(() => app)('audit:verify', ['--since', file])).toMatchObject({ code: 0 });
  });
});

describe('the sealer [practice 10.4] [ASVS 16.4.2]', () => {
  let trail: Trail;
  let sealing: AuditSealing;
  const alerts: Alert[] = [];
  beforeAll(async () => {
    trail = await Trail.start();
    vi.mocked(AuditSealing.prototype.run).mockRestore();
    sealing = trail.get(AuditSealing);
    await sealing.run();
    vi.useFakeTimers({ toFake: ['setInterval'] });
    trail.get(Alerts).subscribe((alert) => alerts.push(alert));
  });
  afterAll(async () => {
    vi.useRealTimers();
    await trail.close();
  });

  const count = async (where: string) =>
    (await trail.app.sql<{ count: number }>(`SELECT count(*)::int AS count FROM ${where}`))[0]?.count ?? 0;
  const measure = async (name: string) =>
    trail
      .get(Measures)
      .list()
      .find((one) => one.name === name)
      ?.read();
  const linkOf = (id = '') => trail.app.sql('SELECT FROM audit_links WHERE event_id = $1', [id]);

  it('two at once: each event has one link', async () => {
    await trail.write('success', 50);
    await Promise.all([trail.sealer().sealAll(), trail.sealer().sealAll(), sealing.run()]);
    expect(await count('audit_links')).toBe(await count('audit_events'));
  });

  it('an event that waited out an outage: a look at the last seconds misses it, the sweep does not', async () => {
    const [id] = await trail.write('denied', 1);
    const old = `0190${id?.slice(4)}`;
    await trail.tamper(`UPDATE audit_events SET id = '${old}' WHERE id = '${id}'`);
    await trail.sealer().sealRecent();
    expect(await linkOf(old)).toEqual([]);
    await trail.sealer().sealAll();
    expect(await linkOf(old)).toHaveLength(1);
  });

  it('another instance is at it: nothing is done, and nobody waits', async () => {
    const sealer = trail.sealer();
    const [id] = await trail.write('success', 1);
    // On the embedded database there is one session, which has every lock.
    vi.spyOn(trail.get(SealsRepository), 'tryLock').mockResolvedValueOnce(false);
    expect([await sealer.sealAll(), await linkOf(id)]).toEqual([false, []]);
    expect([await sealer.sealAll(), await linkOf(id)]).toMatchObject([true, [{}]]);
  });

  it('says how much is not sealed, and for how long a link waits for its checkpoint', async () => {
    await trail.seal();
    await trail.write('success', 3);
    expect(await measure('audit_unsealed_events')).toBe(3);
    expect(await measure('audit_seal_lag_seconds')).toBeGreaterThan(0);
    await trail.sealer(1).sealAll();
    expect(await measure('audit_unsealed_events')).toBe(0);
    const [changes, refusals] = (await measure('audit_checkpoint_age_seconds')) as readonly Reading[];
    expect([changes?.value, refusals?.value]).toEqual([expect.closeTo(86_400, -2), 0]);
    await trail.seal();
    expect(await measure('audit_checkpoint_age_seconds')).toMatchObject([{ value: 0 }, { value: 0 }]);
  });

  it('cannot write: says so once, and goes on when it can', async () => {
    await trail.app.sql('ALTER TABLE audit_links ADD CONSTRAINT broken CHECK (seq < 0) NOT VALID');
    const [id] = await trail.write('success', 1);
    for (let round = 0; round < 3; round++) await sealing.run();
    await trail.app.sql('ALTER TABLE audit_links DROP CONSTRAINT broken');
    expect(await trail.app.auditEvent('audit_seal_fail')).toMatchObject({ outcome: 'failure' });
    await sealing.run();
    expect(await linkOf(id)).toHaveLength(1);
    expect(await count(`audit_events WHERE action = 'audit_seal_fail'`)).toBe(1);
  });

  it('the changed row is put back: what waited is sealed in the next rounds, and each is said once', async () => {
    await trail.write('success', 1);
    await sealing.run();
    const last = `stream = 'changes' AND seq = (SELECT max(seq) FROM audit_links WHERE stream = 'changes')`;
    const [kept] = await trail.app.sql(`SELECT encode(hash, 'hex') AS hash FROM audit_links WHERE ${last}`);
    await trail.tamper(`UPDATE audit_links SET hash = sha256(hash) WHERE ${last}`);
    const [id] = await trail.write('success', 1);
    for (let round = 0; round < 3; round++) await sealing.run();
    // It has waited for longer than a look at the last seconds goes back.
    const old = `0191${id?.slice(4)}`;
    await trail.tamper(`UPDATE audit_events SET id = '${old}' WHERE id = '${id}'`);
    expect([await linkOf(id), await linkOf(old)]).toEqual([[], []]);
    await trail.tamper(`UPDATE audit_links SET hash = decode('${String(kept?.['hash'])}', 'hex') WHERE ${last}`);
    for (let round = 0; round < 3; round++) await sealing.run();
    expect(await linkOf(old)).toHaveLength(1);
    // With: logging.
    expect(
      ['not sealed any more', 'sealed again'].map(
        (text) => trail.app.logs().filter(({ message }) => String(message).includes(text)).length,
      ),
    ).toEqual([1, 1]);
  });

  it('the last link was changed: it links nothing behind it, says so, and goes on with the other stream', async () => {
    await trail.write('success', 1);
    await trail.sealer().sealAll();
    await trail.tamper(`UPDATE audit_links SET hash = sha256(hash)
      WHERE stream = 'changes' AND seq = (SELECT max(seq) FROM audit_links WHERE stream = 'changes')`);
    const [change] = await trail.write('success', 1);
    const [refusal] = await trail.write('denied', 1);
    for (let round = 0; round < 2; round++) await sealing.run();
    expect([await linkOf(change), await linkOf(refusal)]).toMatchObject([[], [{}]]);
    expect(await trail.app.auditEvent('audit_tampered')).toMatchObject({ target_id: 'changes', outcome: 'failure' });
    // With: detection.
    expect(alerts).toContainEqual(expect.objectContaining({ rule: 'audit_tampered', severity: 'critical' }));
    const before = await count(`audit_checkpoints WHERE stream = 'changes'`);
    await trail.sealer().checkpoint(true);
    expect(await count(`audit_checkpoints WHERE stream = 'changes'`)).toBe(before);
  });

  it.each([
    ['the end of the chain is cut', `DELETE FROM audit_links WHERE seq > 2`, 'its end was cut'],
    [
      'a checkpoint is forged',
      `UPDATE audit_checkpoints SET note = replace(note, 'time 2', 'time 3')`,
      'signature of its',
    ],
    ['the last event is gone', `DELETE FROM audit_events WHERE outcome = 'success'`, 'its event is missing'],
  ])('%s: a sealer that has just started seals nothing', async (_, sql, what) => {
    await trail.tamper('DELETE FROM audit_events; DELETE FROM audit_links; DELETE FROM audit_checkpoints');
    await trail.write('success', 5);
    await trail.seal();
    await trail.tamper(sql);
    // The service's own sealer may report what it saw of the wiped trail: that is a refusal.
    const links = `audit_links WHERE stream = 'changes'`;
    const before = await count(links);
    await trail.write('success', 1);
    const sealer = trail.sealer();
    await sealer.sealAll();
    expect([sealer.broken.get('changes')?.what, await count(links)]).toEqual([expect.stringContaining(what), before]);
  });
});
