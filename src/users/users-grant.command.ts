import { UsageError, withServices, type Command } from '../cli/index.js';
import { roles } from '../common/access/permissions.js';
import { normaliseEmail } from '../common/normalisation.js';
import { UsersService } from './users.service.js';

/** Makes the first administrator: there is no default account, and no seed makes one (ASVS v5.0.0-6.3.2). */
export const usersGrant: Command = {
  name: 'users:grant',
  usage: '<email> <role>',
  description: `Gives an existing user a role (${roles.join(', ')}).`,
  async run(config, args) {
    const [email, role] = args;
    if (email === undefined || role === undefined || !roles.includes(role) || args.length !== 2) {
      throw new UsageError(`usage: users:grant <email> <${roles.join('|')}>`);
    }
    const result = await withServices(config, (app) => app.get(UsersService).grant(normaliseEmail(email), role));
    const lines = {
      granted: `granted: the user has the role ${role} from now on\n`,
      present: `nothing to do: the user has the role ${role} already\n`,
      unknown: 'nobody has that e-mail address: sign up and verify the address first\n',
    };
    (result === 'unknown' ? process.stderr : process.stdout).write(lines[result]);
    return result === 'unknown' ? 1 : 0;
  },
};
