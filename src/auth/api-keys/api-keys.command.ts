import { UsageError, withServices, type Command } from '../../cli/index.js';
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
