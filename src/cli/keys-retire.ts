import { purposes, type Purpose } from '../security/data-protection/index.js';
import { drop, KeyRingEditor } from '../security/data-protection/maintenance/index.js';
import { UsageError, type Command } from './command.js';
import { say, withMaintenance, type Maintenance } from './keys-maintenance.js';
import { dryRunOption, readWords } from './keys-words.js';

const usage = 'keys:retire <purpose> <key id> [--accept-loss] [--dry-run]';
const hour = 60 * 60 * 1000;
/** How long after its successor became active a key may still be needed: by transactions, and by tokens, which nobody can count. */
const neededMilliseconds: Readonly<Record<Purpose, number>> = {
  pii: hour,
  'blind-index': hour,
  jwt: hour,
  audit: hour,
  'rate-limit': hour,
  // What it sealed is counted, and sealed anew by the rotation.
  authority: hour,
  // Most end within a day; the tokens in mailed invitations, that end further ones, are good for as long as the mailbox is remembered.
  'one-time-token': 31 * 24 * hour,
  // A device that is forgotten early has no bucket of its own any more; its owner still signs in.
  'known-device': 24 * hour,
  // Sessions end after 30 days at the latest.
  'refresh-token': 31 * 24 * hour,
};

/** Takes a key out of the ring for good. */
export const keysRetire: Command = {
  name: 'keys:retire',
  usage: '<purpose> <key id> [--dry-run]',
  description: 'Removes an old key from the key ring, once nothing needs it any more.',
  async run(config, args) {
    const { values, positionals } = readWords(usage, args, { ...dryRunOption, 'accept-loss': { type: 'boolean', default: false } }, [2, 2]);
    const [name, id = ''] = positionals;
    const purpose = purposes.find((known) => known === name);
    if (purpose === undefined) throw new UsageError(`usage: ${usage}`);
    return withMaintenance(config, async (maintenance) => {
      const { keyRing, record } = maintenance;
      const reason = await whyNot(maintenance, { purpose, id, acceptLoss: values['accept-loss'] });
      if (reason !== undefined || values['dry-run']) {
        say(reason === undefined ? `would remove ${id}` : `${id} stays: ${reason}`);
        return Number(reason !== undefined);
      }
      await record('keys:retire', 'success', { purpose, removedKey: id });
      await KeyRingEditor.with(config.keyRingFile, (editor) => editor.edit(drop(purpose, id)));
      await keyRing.reload();
      say(`removed ${id}`);
      return 0;
    });
  },
};

interface Retiring {
  readonly purpose: Purpose;
  readonly id: string;
  readonly acceptLoss: boolean;
}

async function whyNot({ keyRing, uses }: Maintenance, { purpose, id, acceptLoss }: Retiring): Promise<string | undefined> {
  const keys = keyRing.all(purpose);
  const key = keys.find((candidate) => candidate.id === id);
  if (key === undefined) return `the ring has no such key of the purpose ${purpose}`;
  if (key.state !== 'retired') return `it is the ${key.state} key: rotate first`;
  const count = await uses(purpose, id);
  // Data that can never be read again is never accepted; tokens are only people who have to sign in again.
  if (count === undefined && acceptLoss) return undefined;
  if ((count ?? 0) > 0) return `${count} entries need it${purpose === 'audit' ? '' : `: run keys:rotate ${purpose} again`}`;
  return tooEarly(purpose, key.retiredAt ?? keys[0]?.createdAt);
}

function tooEarly(purpose: Purpose, retiredAt = new Date()): string | undefined {
  const until = new Date(retiredAt.getTime() + neededMilliseconds[purpose]);
  return until.getTime() > Date.now() ? `values made with it may be good until ${until.toISOString()}` : undefined;
}
