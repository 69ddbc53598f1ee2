import { UsageError, withServices, type Command } from '../../cli/index.js';
import { normaliseEmail } from '../../common/normalisation.js';
import { UsersService } from '../../users/index.js';
import { AdministrationService } from './administration.service.js';

/** For an incident in which nobody can, or should, sign in to call the API. */
export const sessionsEnd: Command = {
  name: 'sessions:end',
  usage: '<email> | --all',
  description: 'Ends every session of one person, or of everyone, at once.',
  async run(config, args) {
    const [whom, ...more] = args;
    if (whom === undefined || more.length > 0 || (whom.startsWith('-') && whom !== '--all'))
      throw new UsageError('usage: sessions:end <email> | --all');
    return withServices(config, async (app) => {
      const id = whom === '--all' ? 'everyone' : await app.get(UsersService).idOf(normaliseEmail(whom));
      if (id === undefined) {
        process.stderr.write('nobody has that e-mail address\n');
        return 1;
      }
      const administration = app.get(AdministrationService);
      const count = await (id === 'everyone'
        ? administration.signOutEveryone('operator')
        : administration.signOut('operator', id));
      process.stdout.write(`ended ${count} sessions of ${id}\n`);
      return 0;
    });
  },
};
