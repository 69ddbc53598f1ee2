import { randomUUIDv7 } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { exitCodes } from '@nestjs-secure-template/field-encryption/maintenance';
import { parseArguments, print, Progress, UsageError, withServices, type Command } from '../../../cli/index.js';
import { Clock } from '../../../common/clock.js';
import { Macs } from '../../../common/macs.js';
import type { Config } from '../../../config/index.js';
import { Database, readSnapshot } from '../../../database/index.js';
import { onStopSignal } from '../../../stop-signals.js';
import { streams } from './chain.js';
import { cef } from './formats/cef.js';
import { jsonl } from './formats/jsonl.js';
import { ocsf } from './formats/ocsf.js';
import type { Format } from './formats/record.js';
import { lengthOf, manifestFile, readManifest, sha256Of, writeManifest, type Manifest } from './manifest.js';
import { NoteKeys } from './note-keys.js';
import { exportTrail, spanOf } from './trail-export.js';
import { newestCheckpoint } from './trail.repository.js';

const formats: Readonly<Record<string, Format>> = { jsonl, ocsf, cef };
const usage =
  'audit:export --format jsonl|ocsf|cef --out <file> [--until <date>] [--after <manifest of an earlier export>]';

interface Wanted {
  readonly format: string;
  readonly out: string;
  readonly until: string | null;
  readonly after: string | undefined;
}

/** By the calendar, before audit:prune: only what has left is deleted. Stopped half-way, the same command goes on. */
export const auditExport: Command = {
  name: 'audit:export',
  usage: '--format jsonl|ocsf|cef --out <file> [--until <date>] [--after <manifest>]',
  description: 'Writes the audit trail to a file, in the order of its chain, with a manifest beside it.',
  async run(config, args) {
    const wanted = wantedOf(args);
    const stop = new AbortController();
    const stopListening = onStopSignal(() => stop.abort());
    try {
      const manifest = await withServices(config, (app) => runExport(config, app, wanted, stop.signal));
      const [changes, refusals] = streams.map((stream) => lengthOf(manifest.spans[stream]));
      print(`${changes} changes and ${refusals} refusals are in ${wanted.out}, ${manifest.bytes} bytes`);
      if (!manifest.complete) print('stopped before the end: run it again to go on');
      return manifest.complete ? exitCodes.done : exitCodes.stopped;
    } finally {
      stopListening();
    }
  },
};

function wantedOf(args: readonly string[]): Wanted {
  const text = { type: 'string' } as const;
  const { values } = parseArguments(usage, args, { format: text, out: text, until: text, after: text });
  const { format = '', out, until, after } = values;
  if (!Object.hasOwn(formats, format) || out === undefined) throw new UsageError(`usage: ${usage}`);
  const date = until === undefined ? undefined : new Date(until);
  if (date !== undefined && Number.isNaN(date.getTime())) throw new UsageError(`--until: no date\nusage: ${usage}`);
  return { format, out, until: date?.toISOString() ?? null, after };
}

/** Also what the tests stop half-way. */
export async function runExport(config: Config, app: INestApplicationContext, wanted: Wanted, signal: AbortSignal) {
  const { format, out } = wanted;
  const begun = await begunExport(wanted);
  const manifest = await Progress.during('audit events exported', (show) =>
    readSnapshot(config, async (read) => {
      const keys = app.get(NoteKeys);
      const after = wanted.after === undefined ? undefined : await readManifest(wanted.after);
      const span = (stream: (typeof streams)[number]) => spanOf(read, keys, stream, after?.spans[stream].to);
      const fresh = async () => ({ changes: await span('changes'), refusals: await span('refusals') });
      const start = begun ?? { ...emptyManifest(wanted), spans: await fresh() };
      const task = { read, macs: app.get(Macs), out, format: formats[format] ?? jsonl, signal, onProgress: show };
      const exported = await exportTrail(task, start);
      const notes = await Promise.all(streams.map(async (stream) => (await newestCheckpoint(read, stream))?.note));
      return { ...exported, checkpoints: notes.flatMap((note) => note ?? []), verifierKeys: keys.verifierKeys() };
    }),
  );
  return streams.every((stream) => manifest.spans[stream].done) ? finish(app, out, manifest) : manifest;
}

const emptyManifest = ({ format, until }: Wanted) =>
  ({ version: 1, format, until, bytes: 0, complete: false }) satisfies Partial<Manifest>;

/** What an interrupted run has left. @throws UsageError for another export that would be overwritten. */
async function begunExport({ format, out, until }: Wanted): Promise<Manifest | undefined> {
  const manifest = await readManifest(manifestFile(out));
  if (manifest === undefined) {
    if ((await stat(out).catch(() => undefined)) !== undefined) throw new UsageError(`--out: ${out} is there already`);
    return undefined;
  }
  if (manifest.complete) throw new UsageError(`--out: ${out} is a complete export: name another file`);
  if (manifest.format !== format || manifest.until !== until)
    throw new UsageError(`--out: ${out} is begun with another --format or --until: go on with the same, or delete it`);
  return manifest;
}

/** From here on, what is in the file may be deleted from the trail: it is told so last. */
async function finish(app: INestApplicationContext, out: string, manifest: Manifest): Promise<Manifest> {
  const sha256 = await sha256Of(out);
  const at = app.get(Clock).now();
  const rows = streams.flatMap((stream) => {
    const { from, to } = manifest.spans[stream];
    if (to.seq === from.seq) return [];
    const extra = { first: `${from.seq + 1}`, format: manifest.format, sha256, time: at.toISOString() };
    const note = { kind: 'export', stream, seq: to.seq, hash: Buffer.from(to.hash, 'base64'), extra } as const;
    return [{ id: randomUUIDv7(), stream, seq: to.seq, at, ...app.get(NoteKeys).sign(note) }];
  });
  await app.get(Database).client.auditExport.createMany({ data: rows });
  const complete = { ...manifest, sha256, complete: true };
  await writeManifest(out, complete);
  return complete;
}
