import { readFile } from 'node:fs/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { parseArguments, print, UsageError, withServices, type Command } from '../../cli/index.js';
import type { Config } from '../../config/index.js';
import { inPieces } from '../../common/http/cursors.js';
import { Problem } from '../../common/http/problem.js';
import { idPattern } from '../../common/http/fields.js';
import { normaliseEmail } from '../../common/normalisation.js';
import { UsersService } from '../../users/index.js';
import { ClientRepository } from './client.repository.js';
import { ClientKeys, CreateClient } from './clients.dto.js';
import { ClientsService } from './clients.service.js';

/** Of nobody: replaced by the account of the address. */
const anyOwner = '00000000-0000-7000-8000-000000000000';

const clientsCreate: Command = {
  name: 'clients:create',
  usage: '<email of the owner> <file.json>',
  description: 'Registers a program: name, scopes and public key as for POST /v1/clients.',
  run: (config, args) => {
    const [email = '', file = ''] = parseArguments(`clients:create ${clientsCreate.usage}`, args, {}, 2).positionals;
    return working(config, async (app) => {
      const wanted = await readAs(CreateClient, file, { ownerId: anyOwner });
      const ownerId = await app.get(UsersService).idOf(normaliseEmail(email));
      if (ownerId === undefined) return refused('nobody has that e-mail address');
      const { id } = await app.get(ClientsService).create('operator', { ...wanted, ownerId });
      print(`created ${id}`);
      return 0;
    });
  },
};

const clientsKeys: Command = {
  name: 'clients:keys',
  usage: '<id> <file.json>',
  description: 'Replaces the public keys of a program as PUT /v1/clients/:id/keys does; its tokens end.',
  run: (config, args) => {
    const [id = '', file = ''] = parseArguments(`clients:keys ${clientsKeys.usage}`, args, {}, 2).positionals;
    return working(config, async (app) => {
      await app.get(ClientsService).replaceKeys('operator', idOf(id), await readAs(ClientKeys, file));
      print(`replaced the keys of ${id}`);
      return 0;
    });
  },
};

const clientsList: Command = {
  name: 'clients:list',
  usage: '',
  description: 'Lists the programs that are registered, newest first.',
  run: (config, args) => {
    parseArguments('clients:list', args, {});
    return working(config, async (app) => {
      const clients = app.get(ClientRepository);
      for await (const piece of inPieces((keyset) => clients.list(keyset)))
        for (const { id, status, ownerId, scopes, isWhole } of piece)
          print([id, isWhole ? status : 'changed past the service', ownerId, scopes.join(' ')].join('  '));
      return 0;
    });
  },
};

const changing = (
  verb: 'disable' | 'enable' | 'delete',
  { response, description }: Pick<Command, 'response' | 'description'>,
  work: (clients: ClientsService, id: string) => Promise<unknown>,
): Command => ({
  name: `clients:${verb}`,
  response,
  usage: '<id>',
  description,
  run: (config, args) => {
    const [id = ''] = parseArguments(`clients:${verb} <id>`, args, {}, 1).positionals;
    return working(config, async (app) => {
      await work(app.get(ClientsService), idOf(id));
      print(`${verb}d ${id}`);
      return 0;
    });
  },
});

export const clientsCommands: readonly Command[] = [
  clientsCreate,
  clientsKeys,
  clientsList,
  changing(
    'disable',
    { response: 'respond:disable-client', description: 'Takes the access of a program away at once.' },
    (clients, id) => clients.changeStatus('operator', id, 'disabled'),
  ),
  changing(
    'enable',
    { response: 'respond:enable-client', description: 'Gives it back. Tokens of before stay worthless.' },
    (clients, id) => clients.changeStatus('operator', id, 'active'),
  ),
  changing('delete', { description: 'Deletes a program that is registered.' }, (clients, id) =>
    clients.delete('operator', id),
  ),
];

/** What the service refuses is a line for the operator, and no fault. */
const working = (config: Config, work: (app: INestApplicationContext) => Promise<number>): Promise<number> =>
  withServices(config, async (app) => {
    try {
      return await work(app);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return refused(error.extras.errors?.[0]?.message ?? error.detail ?? error.message);
    }
  });

const idOf = (text: string): string => {
  if (!idPattern.test(text)) throw new UsageError('the id is none: clients:list has them');
  return text;
};

/** The same rules as for the API. */
async function readAs<T extends object>(dto: new () => T, file: string, rest: object = {}): Promise<T> {
  const input = { ...(JSON.parse(await readFile(file, 'utf8')) as object), ...rest };
  const value = plainToInstance(dto, input);
  const [error] = validateSync(value, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true });
  if (error === undefined) return value;
  throw new UsageError(`${file}: ${error.property} is not as POST /v1/clients takes it`);
}

const refused = (line: string): 1 => {
  process.stderr.write(`${line}\n`);
  return 1;
};
