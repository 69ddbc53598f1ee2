import { readFile } from 'node:fs/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { exitCodes } from '@nestjs-secure-template/field-encryption/maintenance';
import { parseArguments, print, Progress, UsageError, withServices, type Command } from '../../../cli/index.js';
import { Clock } from '../../../common/clock.js';
import { Macs } from '../../../common/macs.js';
import type { Config } from '../../../config/index.js';
import { readSnapshot } from '../../../database/index.js';
import type { SignedNote } from './note.js';
import { NoteKeys } from './note-keys.js';
import { verifyTrail, type Verified } from './verification.js';
import type { Finding } from './walk.js';

const usage = 'audit:verify [--since <file with checkpoints>] [--json]';
/** Where a whole table was rewritten, the first lines say so too. */
const maxPrinted = 100;

interface Outcome extends Verified {
  readonly faults: number;
  readonly findings: readonly Finding[];
}

/** By the calendar, and after an incident, with a checkpoint that the database could not change. */
export const auditVerify: Command = {
  name: 'audit:verify',
  usage: '[--since <file>] [--json]',
  description: 'Checks every MAC, link, checkpoint and anchor of the audit trail; exit code 1 when one is wrong.',
  async run(config, args) {
    const options = { since: { type: 'string' }, json: { type: 'boolean', default: false } } as const;
    const { values } = parseArguments(usage, args, options);
    const text = values.since === undefined ? undefined : await readFile(values.since, 'utf8');
    const outcome = await withServices(config, (app) => verify(config, app, text));
    if (values.json) print(JSON.stringify(outcome, null, 2));
    else printOutcome(outcome);
    return outcome.faults > 0 ? exitCodes.faults : exitCodes.done;
  },
};

async function verify(config: Config, app: INestApplicationContext, text: string | undefined): Promise<Outcome> {
  const keys = app.get(NoteKeys);
  const since = text === undefined ? [] : openAll(keys, text);
  const findings: Finding[] = [];
  let faults = 0;
  const tell = (finding: Finding): void => {
    faults++;
    if (findings.length < maxPrinted) findings.push(finding);
  };
  const done = await Progress.during('audit events verified', (onProgress) =>
    readSnapshot(config, (read) =>
      verifyTrail({ read, macs: app.get(Macs), keys, now: app.get(Clock).now(), since, tell, onProgress }),
    ),
  );
  return { ...done, faults, findings };
}

/** @throws UsageError when there is none, or one that no key of the ring has signed. */
function openAll(keys: NoteKeys, text: string): SignedNote[] {
  const texts = notesIn(text);
  if (texts.length === 0) throw new UsageError('--since: the file holds no checkpoint: a note, or lines of the log');
  return texts.map((each) => {
    const note = keys.open(each, 'checkpoint');
    if (note === undefined)
      throw new UsageError(
        '--since: no key of the ring has signed this checkpoint: it is forged, or of another service',
      );
    return note;
  });
}

/** A note as it is, or the lines of the log that have one. */
function notesIn(text: string): string[] {
  if (!text.trimStart().startsWith('{')) return text.trim() === '' ? [] : [text];
  return text.split('\n').flatMap((line) => {
    const pieces = line.includes('audit.checkpoint') ? piecesOf(line) : undefined;
    return Array.isArray(pieces) ? [pieces.join('')] : [];
  });
}

function piecesOf(line: string): unknown {
  try {
    return (JSON.parse(line) as Record<string, unknown>)['audit.checkpoint'];
  } catch {
    throw new UsageError('--since: a line of the log is not whole');
  }
}

function printOutcome({ events, checkpoints, unsealed, faults, findings }: Outcome): void {
  for (const { stream, seq, event, what } of findings)
    print(
      [stream, ...(seq === null ? [] : [seq]), ...(event === null ? [] : [`event ${event}`])].join(' ') + `: ${what}`,
    );
  if (faults > findings.length) print(`and ${faults - findings.length} more`);
  print(`${events} sealed events, ${checkpoints} checkpoints, ${unsealed} events not sealed yet: ${faults} faults`);
}
