import { UsageError, withServices, type Command } from '../../cli/index.js';
import { Problem } from '../../common/http/problem.js';
import { normaliseEmail } from '../../common/normalisation.js';
import { UsersService, type AccountState } from '../../users/index.js';
import { AdministrationService } from './administration.service.js';

const locking = (command: Pick<Command, 'name' | 'response' | 'description'>, state: AccountState): Command => ({
  ...command,
  usage: '<email>',
  async run(config, args) {
    const [email, ...more] = args;
    if (email === undefined || more.length > 0) throw new UsageError(`usage: ${command.name} <email>`);
    return withServices(config, async (app) => {
      const id = await app.get(UsersService).idOf(normaliseEmail(email));
      if (id === undefined) return refused('nobody has that e-mail address');
      try {
        const changed = await app.get(AdministrationService).changeStatus('operator', id, state);
        process.stdout.write(
          changed ? `${command.name.slice('users:'.length)}d ${id}\n` : `nothing to do: ${id} is ${state} already\n`,
        );
        return 0;
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        return refused(error.detail ?? error.message);
      }
    });
  },
});

const refused = (line: string): 1 => {
  process.stderr.write(`${line}\n`);
  return 1;
};

export const usersDisable = locking(
  {
    name: 'users:disable',
    response: 'respond:disable-user',
    description: 'Locks an account: ends its sessions at once, and signs nobody in.',
  },
  'disabled',
);
export const usersEnable = locking(
  { name: 'users:enable', response: 'respond:enable-user', description: 'Opens a locked account again.' },
  'active',
);
