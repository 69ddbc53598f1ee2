import { userInfo } from 'node:os';
import { parseArguments, print, UsageError, withServices, type Command } from '../../cli/index.js';
import { machineTiers } from '../../common/access/principal.js';
import { runAsOperator } from '../../common/events/operator.js';
import { idPattern } from '../../common/http/fields.js';
import { normaliseEmail } from '../../common/normalisation.js';
import { UsersService } from '../../users/index.js';
import { ApiKeysService } from './api-keys.service.js';

const refused = (line: string): 1 => {
  process.stderr.write(`${line}\n`);
  return 1;
};

const only = (usage: string, args: readonly string[]): string => {
  const [word, ...more] = args;
  if (word === undefined || more.length > 0) throw new UsageError(`usage: ${usage}`);
  return word;
};

/** For a report of a leak. The whole key stays in the history of the shell, and is worth nothing afterwards. */
export const apiKeysRevoke: Command = {
  name: 'api-keys:revoke',
  response: 'respond:revoke-key',
  usage: '<id or key>',
  description: 'Revokes an API key at once, by its id or by the key as it was found, and mails its owner.',
  async run(config, args) {
    const text = only('api-keys:revoke <id or key>', args);
    return withServices(config, async (app) => {
      const keys = app.get(ApiKeysService);
      const id = idPattern.test(text) ? text : keys.idIn(text);
      if (id === undefined) return refused('that is neither the id of a key nor a key of this service');
      if (!(await keys.revokeByOperator(id))) return refused(`there is no key ${id} that is not revoked`);
      process.stdout.write(`revoked ${id}\n`);
      return 0;
    });
  },
};

export const apiKeysList: Command = {
  name: 'api-keys:list',
  usage: '<email>',
  description: 'Lists the API keys that act for an account, those of services too.',
  async run(config, args) {
    const email = only('api-keys:list <email>', args);
    return withServices(config, async (app) => {
      const userId = await app.get(UsersService).idOf(normaliseEmail(email));
      if (userId === undefined) return refused('nobody has that e-mail address');
      for (const key of (await app.get(ApiKeysService).listOf(userId)).items) {
        const { id, name, service, scopes, expiresAt, lastUsedAt, revokedAt } = key;
        const state = revokedAt === null ? `until ${expiresAt.toISOString()}` : `revoked ${revokedAt.toISOString()}`;
        const used = lastUsedAt === null ? 'never used' : `used ${lastUsedAt.toISOString()}`;
        process.stdout.write(`${id}  ${state}  ${used}  ${scopes.join(',')}  ${service ?? '-'}  ${name}\n`);
      }
      return 0;
    });
  },
};

const tierUsage = `api-keys:tier <id> ${machineTiers.join('|')} --reason <text> [--operator <name>]`;
const maxReason = 200;

/** More than one's own routes give: only whoever is let onto the machine. The audit trail has operator and reason. */
export const apiKeysTier: Command = {
  name: 'api-keys:tier',
  usage: `<id> ${machineTiers.join('|')} --reason <text> [--operator <name>]`,
  description: 'Sets how much an API key may ask for, in a minute and in a day. Its successors have the same.',
  async run(config, args) {
    const options = { reason: { type: 'string' }, operator: { type: 'string' } } as const;
    const { values, positionals } = parseArguments(tierUsage, args, options, 2);
    const [id = '', word] = positionals;
    const { reason = '', operator = userInfo().username } = values;
    const tier = machineTiers.find((one) => one === word);
    if (tier === undefined || reason.trim() === '' || reason.length > maxReason)
      throw new UsageError(`usage: ${tierUsage}`);
    return withServices(config, async (app) => {
      const change = () => app.get(ApiKeysService).changeTierByOperator(id, tier);
      const isDone = idPattern.test(id) && (await runAsOperator({ operator, reason }, change));
      if (!isDone) return refused('there is no such key that is not revoked, or somebody changed it just now');
      print(`${id} is ${tier}`);
      return 0;
    });
  },
};
