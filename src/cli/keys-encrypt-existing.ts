import { adopting, sweepUntilDone } from '../security/data-protection/maintenance/index.js';
import { fieldMap } from '../generated/field-encryption/index.js';
import { UsageError, type Command } from './command.js';
import { exitStopped, say, tellFaults, withMaintenance } from './keys-maintenance.js';
import { Progress } from './progress.js';
import { dryRunOption, readWords } from './keys-words.js';

const usage = 'keys:encrypt-existing [--model <model>] [--dry-run]';

/** For a column that was plaintext before its annotation. Whatever was planted there is sealed too: never run it to mend a fault. */
export const keysEncryptExisting: Command = {
  name: 'keys:encrypt-existing',
  usage: '[--model <model>] [--dry-run]',
  description: 'Adopts a column that held plaintext: seals what is no cell, and fills missing blind indexes.',
  async run(config, args) {
    const { values } = readWords(usage, args, { ...dryRunOption, model: { type: 'string' } });
    const { model, 'dry-run': dryRun } = values;
    if (model !== undefined && !Object.hasOwn(fieldMap, model)) throw new UsageError(`there is no model ${model}\nusage: ${usage}`);
    return withMaintenance(config, async ({ store, signal, record }) => {
      const report = await Progress.during('sealing', (onProgress) =>
        sweepUntilDone(store, adopting(store, dryRun), { signal, dryRun, model, onProgress }),
      );
      const { changed: sealed, stopped } = report;
      say(`${dryRun ? 'would seal' : 'sealed'} ${sealed} values${stopped ? '; stopped: run it again to go on' : ''}`);
      const faults = tellFaults(report);
      if (!dryRun) await record('keys:encrypt-existing', faults > 0 ? 'failure' : 'success', { sealed, faults, stopped, model: model ?? 'all' });
      if (stopped) return exitStopped;
      if (!dryRun && faults === 0) say(constraintAdvice);
      return Number(faults > 0);
    });
  },
};

const constraintAdvice = `Now let the database refuse plaintext: as owner, for each adopted column (lock-free beside a running service),
  ALTER TABLE <table> ADD CONSTRAINT <table>_<column>_check CHECK (is_sealed_cell(<column>)) NOT VALID;  -- unless it is there
  ALTER TABLE <table> VALIDATE CONSTRAINT <table>_<column>_check;`;
