import { sweep, verifying } from '../security/data-protection/maintenance/index.js';
import type { Command } from './command.js';
import { exitStopped, say, tellFaults, withMaintenance } from './keys-maintenance.js';
import { Progress } from './progress.js';
import { jsonOption, readWords } from './keys-words.js';

/** Proves that everything stored can be opened, or says what cannot: after a restore, a rotation, an incident. */
export const keysVerify: Command = {
  name: 'keys:verify',
  usage: '[--json]',
  description: 'Opens every cell and compares every blind index; exit code 1 when one is wrong.',
  async run(config, args) {
    const { values } = readWords('keys:verify [--json]', args, jsonOption);
    return withMaintenance(config, async ({ store, signal }) => {
      const report = await Progress.during('verifying', (onProgress) => sweep(store, verifying(store), { signal, onProgress }));
      const { cells, cellCount, faults, faultCount, stopped } = report;
      if (values.json) say(JSON.stringify({ cells: Object.fromEntries(cells), faultCount, faults, complete: !stopped }, null, 2));
      else {
        for (const [field, count] of cells) say(`${field.padEnd(32)} ${count}`);
        say(`${stopped ? 'stopped after' : 'opened'} ${cellCount} cells, ${faultCount} faults`);
      }
      if (!values.json) tellFaults(report);
      if (faultCount > 0) return 1;
      return stopped ? exitStopped : 0;
    });
  },
};
