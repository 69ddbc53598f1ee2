import { isIP } from 'node:net';
import type { INestApplicationContext } from '@nestjs/common';
import { parseArguments, print, UsageError, withServices, type Command } from '../../cli/index.js';
import { networkOf } from '../../common/http/network.js';
import { normaliseEmail } from '../../common/normalisation.js';
import { UsersService } from '../../users/index.js';
import { AdministrationService } from './administration.service.js';

const usage = '<email> | --network <address> | --all';
const options = { all: { type: 'boolean', default: false }, network: { type: 'string' } } as const;

interface Whose {
  readonly email: string | undefined;
  /** An IPv4 address, or the /64 of an IPv6 one. */
  readonly network: string | undefined;
}

/** For an incident in which nobody can, or should, sign in to call the API. */
export const sessionsEnd: Command = {
  name: 'sessions:end',
  response: 'respond:end-sessions',
  usage,
  description: 'Ends every session of one person, from one address, or of everyone, at once.',
  run: (config, args) => {
    const whose = readWhose(args);
    return withServices(config, (app) => end(app, whose));
  },
};

function readWhose(args: readonly string[]): Whose {
  const isMail = args.length === 1 && args[0]?.startsWith('-') === false;
  const { values, positionals } = parseArguments(`sessions:end ${usage}`, args, options, isMail ? 1 : 0);
  const { all, network } = values;
  if (Number(isMail) + Number(all) + Number(network !== undefined) !== 1)
    throw new UsageError(`usage: sessions:end ${usage}`);
  if (network !== undefined && isIP(network) === 0) throw new UsageError('--network: an IPv4 or IPv6 address');
  return { email: positionals[0], network: network === undefined ? undefined : networkOf(network) };
}

async function end(app: INestApplicationContext, { email, network }: Whose): Promise<number> {
  const administration = app.get(AdministrationService);
  if (email === undefined) {
    const count = await administration.signOutEveryone('operator', network);
    print(`ended ${count} sessions of ${network ?? 'everyone'}`);
    return 0;
  }
  const id = await app.get(UsersService).idOf(normaliseEmail(email));
  if (id === undefined) {
    process.stderr.write('nobody has that e-mail address\n');
    return 1;
  }
  print(`ended ${await administration.signOut('operator', id)} sessions of ${id}`);
  return 0;
}
