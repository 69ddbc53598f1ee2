import type { SigningKeyRotation } from '../auth/index.js';
import { readStatus, type KeyStatus } from '../security/data-protection/maintenance/index.js';
import type { Command } from './command.js';
import { exitStopped, say, withMaintenance } from './keys-maintenance.js';
import { Progress } from './progress.js';
import { jsonOption, readWords } from './keys-words.js';

const dayMilliseconds = 24 * 60 * 60 * 1000;

export const keysStatus: Command = {
  name: 'keys:status',
  usage: '[--json]',
  description: 'Shows the key ring, the data keys, and how many cells and indexes still need old keys.',
  async run(config, args) {
    const { values } = readWords('keys:status [--json]', args, jsonOption);
    return withMaintenance(config, async ({ store, keyRing, signingKeys, signal }) => {
      const stored = await Progress.during('counting', (onProgress) => readStatus(store, keyRing, onProgress, signal));
      if (signal.aborted) return exitStopped;
      const status = { ...stored, signingKeys: await signingKeys.list() };
      say(values.json ? JSON.stringify(status, null, 2) : tableOf(status));
      return 0;
    });
  },
};

type Status = KeyStatus & { readonly signingKeys: Awaited<ReturnType<SigningKeyRotation['list']>> };

function tableOf({ ring, signingKeys, dataKeys, fields }: Status): string {
  return [
    'key ring',
    ...ring.map(({ purpose, id, state, createdAt }) => row([purpose, id, state, createdAt ?? '', age(createdAt)])),
    'signing keys',
    ...signingKeys.map(({ id, state, createdAt }) => row(['', id, state, createdAt.toISOString(), age(createdAt.toISOString())])),
    'data keys',
    ...Object.entries(dataKeys).map(([name, count]) => row([...name.split(' '), String(count)])),
    row(['cells', 'all', 'retired key', 'retired index key']).trimStart(),
    ...Object.entries(fields).map(([name, { cells, retiredKey, retiredIndex }]) => row([name, String(cells), String(retiredKey), String(retiredIndex)])),
  ].join('\n');
}

const age = (createdAt: string | null): string =>
  createdAt === null ? 'age unknown' : `${Math.floor((Date.now() - Date.parse(createdAt)) / dayMilliseconds)} days`;

const widths = [24, 26, 12, 26];
const row = (words: readonly string[]): string => `  ${words.map((word, at) => word.padEnd(widths[at] ?? 0)).join(' ')}`.trimEnd();
