import { parseArguments, print, UsageError, withServices, type Command } from '../../cli/index.js';
import { blockedNetwork, proxiesIn } from './networks.js';
import { ResponseService } from './response.service.js';

const maxMinutes = 30 * 24 * 60;
const minutesOption = { minutes: { type: 'string', default: '60' } } as const;

function minutesOf(text: string): number {
  const minutes = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (minutes >= 1 && minutes <= maxMinutes) return minutes;
  throw new UsageError(`--minutes: a whole number from 1 to ${maxMinutes}`);
}

function networkFrom(text: string): string {
  const network = blockedNetwork(text);
  if (network !== undefined) return network;
  throw new UsageError(
    'set an IP address, or a range such as 203.0.113.0/24 (from /12 on) or 2001:db8::/48 (from /24)',
  );
}

/** All that is set; nothing is changed, so nobody is asked for a reason. */
export const respondStatus: Command = {
  name: 'respond:status',
  usage: '',
  description: 'Lists what is blocked, and whether there is a lockdown, with the time at which it ends.',
  async run(config, args) {
    parseArguments('respond:status', args, {});
    const active = await withServices(config, (app) => app.get(ResponseService).status());
    const shown = active.filter(({ kind }) => kind !== 'recheck');
    for (const { kind, network, expiresAt } of shown)
      print([kind, network, `until ${expiresAt.toISOString()}`].filter((word) => word !== null).join('  '));
    if (shown.length === 0) print('nothing is blocked, and there is no lockdown');
    return 0;
  },
};

const block: Command = {
  name: 'respond:block',
  usage: '<address or range> [--minutes 60]',
  description: 'Answers nobody of a network for a time: 403 before anything else, on every public listener.',
  async run(config, args) {
    const { values, positionals } = parseArguments(`respond:block ${this.usage}`, args, minutesOption, 1);
    const network = networkFrom(positionals[0] ?? '');
    const minutes = minutesOf(values.minutes);
    const proxies = proxiesIn(network, config.trustedProxies);
    if (proxies.length > 0) throw new UsageError(`${proxies.join(', ')} of TRUSTED_PROXIES would be blocked as well`);
    const until = await withServices(config, (app) => app.get(ResponseService).block(network, minutes));
    print(`blocked ${network} until ${until.toISOString()}`);
    return 0;
  },
};

const unblock: Command = {
  name: 'respond:unblock',
  usage: '<address or range>',
  description: 'Answers a network again.',
  async run(config, args) {
    const { positionals } = parseArguments(`respond:unblock ${this.usage}`, args, {}, 1);
    const network = networkFrom(positionals[0] ?? '');
    const isLifted = await withServices(config, (app) => app.get(ResponseService).unblock(network));
    print(isLifted ? `answers ${network} again` : `nothing to do: ${network} is not blocked as such: respond:status`);
    return 0;
  },
};

const lockdown: Command = {
  name: 'respond:lockdown',
  usage: '[--minutes 60]',
  description: 'Keeps the service from writing for a time: people sign in, read, and sign out.',
  async run(config, args) {
    const { values } = parseArguments(`respond:lockdown ${this.usage}`, args, minutesOption);
    const minutes = minutesOf(values.minutes);
    const until = await withServices(config, (app) => app.get(ResponseService).lockDown(minutes));
    print(`nothing is written until ${until.toISOString()}`);
    return 0;
  },
};

const reopen: Command = {
  name: 'respond:reopen',
  usage: '',
  description: 'Ends a lockdown.',
  async run(config, args) {
    parseArguments('respond:reopen', args, {});
    const isLifted = await withServices(config, (app) => app.get(ResponseService).reopen());
    print(isLifted ? 'the service writes again' : 'nothing to do: there is no lockdown');
    return 0;
  },
};

/** Each changes something, and asks for a reason. */
export const restrictingCommands: readonly Command[] = [block, unblock, lockdown, reopen];
