import { KeyRing } from '@nestjs-secure-template/field-encryption';
import {
  encryptExisting,
  exitCodes,
  forecastDataKeys,
  readStatus,
  replaceDataKeys,
  retire,
  retireBlocker,
  statusTable,
  verify,
  type Waits,
} from '@nestjs-secure-template/field-encryption/maintenance';
import { purposes } from '../common/macs.js';
import { fieldMap } from '../generated/field-encryption/index.js';
import { ringLock } from '../security/data-protection/index.js';
import { parseArguments, print, UsageError, type Command } from './command.js';
import { withMaintenance } from './keys-maintenance.js';
import { keysRotate } from './keys-rotate.js';

const dryRunOption = { 'dry-run': { type: 'boolean', default: false } } as const;
const jsonOption = { json: { type: 'boolean', default: false } } as const;

/**
 * Production never makes a ring by itself: one that is made because the right one was not mounted opens nothing (ASVS
 * v5.0.0-13.3.1).
 */
const keysInit: Command = {
  name: 'keys:init',
  usage: '',
  description: 'Makes the first key ring, at KEY_RING_FILE; before there is a database, and never over another ring.',
  variables: ['KEY_RING_FILE', 'DATA_DIRECTORY'],
  async run({ keyRingFile }, args) {
    parseArguments('keys:init', args, {});
    await KeyRing.create(keyRingFile, purposes);
    print(`made ${keyRingFile}: a key of every purpose, readable by its owner alone`);
    print(nextSteps);
    return exitCodes.done;
  },
};

const nextSteps = `\
For a service that starts for the first time: a new ring opens nothing that an earlier one sealed. Next
  1. back the file up, apart from the database: without it nothing can be read, with both everything can
  2. give it to the user of the service on every machine (chown, mode 0600), and set KEY_RING_FILE there
  3. npm run cli -- db:migrate, npm run cli -- db:roles <role>, npm start`;

const keysStatus: Command = {
  name: 'keys:status',
  usage: '[--json]',
  description: 'Shows the key ring, the data keys, and how many cells and indexes still need old keys.',
  async run(config, args) {
    const { values } = parseArguments('keys:status [--json]', args, jsonOption);
    return withMaintenance(config, async (run) => {
      const status = await readStatus(run);
      if (run.signal.aborted) return exitCodes.stopped;
      const signingKeys = await run.signingKeys.list();
      const rows = signingKeys.map((key) => ({ ...key, purpose: '', createdAt: key.createdAt.toISOString() }));
      print(values.json ? JSON.stringify({ ...status, signingKeys }, null, 2) : statusTable(status, rows));
      return exitCodes.done;
    });
  },
};

/** After a restore, a rotation, an incident. */
const keysVerify: Command = {
  name: 'keys:verify',
  usage: '[--json]',
  description: 'Opens every cell and compares every blind index; exit code 1 when one is wrong.',
  async run(config, args) {
    const { values } = parseArguments('keys:verify [--json]', args, jsonOption);
    return withMaintenance(config, (run) => verify(run, values.json));
  },
};

const encryptUsage = 'keys:encrypt-existing [--model <model>] [--dry-run]';

const keysEncryptExisting: Command = {
  name: 'keys:encrypt-existing',
  usage: '[--model <model>] [--dry-run]',
  description: 'Adopts a column that held plaintext: seals what is no cell, and fills missing blind indexes.',
  async run(config, args) {
    const { values } = parseArguments(encryptUsage, args, { ...dryRunOption, model: { type: 'string' } });
    const { model, 'dry-run': dryRun } = values;
    if (model !== undefined && !Object.hasOwn(fieldMap, model))
      throw new UsageError(`there is no model ${model}\nusage: ${encryptUsage}`);
    return withMaintenance(config, (run) => encryptExisting(run, { model, dryRun }));
  },
};

const reencryptUsage = 'keys:reencrypt [--older-than <days>] [--dry-run]';
const dayMs = 24 * 60 * 60 * 1000;

/** @param waits no option of the command line: too short a wait destroys a key in use. */
export const reencryptCommand = (waits?: Waits): Command => ({
  name: 'keys:reencrypt',
  usage: '[--older-than <days>] [--dry-run]',
  description: 'Gives subjects new data keys, seals every cell anew, and destroys the old keys.',
  async run(config, args) {
    const options = { ...dryRunOption, 'older-than': { type: 'string', default: '0' } } as const;
    const { values } = parseArguments(reencryptUsage, args, options);
    const days = Number(values['older-than']);
    if (!Number.isInteger(days) || days < 0)
      throw new UsageError(`--older-than: a whole number of days\nusage: ${reencryptUsage}`);
    const before = new Date(Date.now() - days * dayMs);
    return withMaintenance(config, (run) =>
      values['dry-run'] ? forecastDataKeys(run, before) : replaceDataKeys(run, before, waits),
    );
  },
});

const retireUsage = 'keys:retire <purpose> <key id> [--accept-loss] [--dry-run]';

const keysRetire: Command = {
  name: 'keys:retire',
  usage: '<purpose> <key id> [--dry-run]',
  description: 'Removes an old key from the key ring, once nothing needs it any more.',
  async run(config, args) {
    const options = { ...dryRunOption, 'accept-loss': { type: 'boolean', default: false } } as const;
    const { values, positionals } = parseArguments(retireUsage, args, options, 2);
    const [name, id = ''] = positionals;
    const purpose = purposes.find((known) => known === name);
    if (purpose === undefined) throw new UsageError(`usage: ${retireUsage}`);
    return withMaintenance(config, async ({ keyRing, useOf, record }) => {
      const keys = { purpose, keyRing, use: useOf(purpose), lock: ringLock };
      const blocker = await retireBlocker(keys, id, values['accept-loss']);
      if (blocker !== undefined || values['dry-run']) {
        print(blocker === undefined ? `would remove ${id}` : `${id} stays: ${blocker}`);
        return blocker === undefined ? exitCodes.done : exitCodes.faults;
      }
      await record('keys:retire', 'success', { purpose, removedKey: id });
      await retire(keys, id);
      print(`removed ${id}`);
      return exitCodes.done;
    });
  },
};

export const keyCommands: readonly Command[] = [
  keysInit,
  keysStatus,
  keysRotate,
  keysRetire,
  reencryptCommand(),
  keysEncryptExisting,
  keysVerify,
];
