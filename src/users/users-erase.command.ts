import { UsageError, withServices, type Command } from '../cli/index.js';
import { idPattern } from '../common/http/fields.js';
import { normaliseEmail } from '../common/normalisation.js';
import { ErasureService } from './erasure.service.js';
import { UsersService } from './users.service.js';

/** Erases somebody who asked for it by another way than the API. */
export const usersErase: Command = {
  name: 'users:erase',
  usage: '<email or id> [--dry-run]',
  description: 'Erases a person: rows deleted, data key destroyed, tombstone kept.',
  async run(config, args) {
    const dryRun = args.includes('--dry-run');
    const [whom, ...more] = args.filter((arg) => arg !== '--dry-run');
    if (whom === undefined || more.length > 0) throw new UsageError('usage: users:erase <email or id> [--dry-run]');
    return withServices(config, async (app) => {
      const id = idPattern.test(whom) ? whom : await app.get(UsersService).idOf(normaliseEmail(whom));
      if (id === undefined) {
        process.stderr.write('nobody has that e-mail address\n');
        return 1;
      }
      if (dryRun) {
        process.stdout.write(`would erase ${id}\n`);
        return 0;
      }
      const erased = await app.get(ErasureService).erase(id);
      process.stdout.write(erased ? `erased ${id}\n` : `nothing is left of ${id}\n`);
      return 0;
    });
  },
};
