import { KeyRing } from '../security/data-protection/index.js';
import type { Command } from './command.js';
import { say } from './keys-maintenance.js';
import { readWords } from './keys-words.js';

/** Production never makes a ring by itself: one that is made because the right one was not mounted opens nothing (ASVS v5.0.0-13.3.1). */
export const keysInit: Command = {
  name: 'keys:init',
  usage: '',
  description: 'Makes the first key ring, at KEY_RING_FILE; before there is a database, and never over another ring.',
  variables: ['KEY_RING_FILE', 'DATA_DIRECTORY'],
  async run({ keyRingFile }, args) {
    readWords('keys:init', args, {});
    await KeyRing.create(keyRingFile);
    say(`made ${keyRingFile}: a key of every purpose, readable by its owner alone`);
    say(nextSteps);
    return 0;
  },
};

const nextSteps = `For a service that starts for the first time: a new ring opens nothing that an earlier one sealed. Next
  1. back the file up, apart from the database: without it nothing can be read, with both everything can
  2. give it to the user of the service on every machine (chown, mode 0600), and set KEY_RING_FILE there
  3. npm run cli -- db:migrate, npm run cli -- db:roles <role>, npm start`;
