import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import { UsageError, withServices, type Command } from '../../cli/index.js';
import { runAsOperator, type Operator } from '../../common/events/operator.js';
import type { Config } from '../../config/index.js';
import { ResponseService } from './response.service.js';

const maxReason = 200;
const accountUsage = '--reason <text> [--operator <name>]';

/** The command as a response: it does not run without a reason, and its audit events say who ran it, and why. */
export const accountable = (command: Command, name = command.name): Command => ({
  ...command,
  name,
  usage: `${command.usage} ${accountUsage}`.trim(),
  run: async (config, args) => {
    const { account, rest } = takeAccount(`${name} ${command.usage} ${accountUsage}`, args);
    return runAsOperator(account, () => command.run(config, rest));
  },
});

/** Each response that some part offers, under the name that it has as one. */
export const responsesOf = (commands: readonly Command[]): Command[] =>
  commands.flatMap((command) =>
    command.response === undefined ? [] : [accountable(rechecking(command), command.response)],
  );

/** What instances remember of callers may be out of date after it. */
const rechecking = (command: Command): Command => ({
  ...command,
  run: async (config, args) => {
    const exitCode = await command.run(config, args);
    await recheckBeside(config);
    return exitCode;
  },
});

/** With Redis the command itself has told every instance. */
async function recheckBeside(config: Config): Promise<void> {
  if (config.redisUrl === undefined) await withServices(config, (app) => app.get(ResponseService).recheck());
}

/** Takes `--reason` and `--operator` out of the words; the others are the command's. */
function takeAccount(usage: string, args: readonly string[]): { account: Operator; rest: string[] } {
  const options = { reason: { type: 'string' }, operator: { type: 'string' } } as const;
  const { values, tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const taken = new Set<number>();
  for (const token of tokens) {
    if (token.kind !== 'option' || !(token.name in options)) continue;
    taken.add(token.index);
    if (token.inlineValue === false) taken.add(token.index + 1);
  }
  const { reason, operator = userInfo().username } = values;
  if (typeof reason !== 'string' || reason.trim() === '' || reason.length > maxReason || typeof operator !== 'string')
    throw new UsageError(`say why: --reason, at most ${maxReason} characters, and nobody's data\nusage: ${usage}`);
  return { account: { operator, reason }, rest: args.filter((_, index) => !taken.has(index)) };
}
