import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { UsageError } from './command.js';

/** The words of a command line: `--name` switches, `--name value` options, and so many plain words. @throws UsageError */
export function readWords<O extends ParseArgsOptionsConfig>(usage: string, args: readonly string[], options: O, plain: readonly [number, number] = [0, 0]) {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    if (positionals.length >= plain[0] && positionals.length <= plain[1]) return { values, positionals };
  } catch (error) {
    // The parser's own words, without its advice on quoting.
    throw new UsageError(`${(error as Error).message.split('. ')[0]}\nusage: ${usage}`);
  }
  throw new UsageError(`usage: ${usage}`);
}

export const dryRunOption = { 'dry-run': { type: 'boolean', default: false } } as const;
export const jsonOption = { json: { type: 'boolean', default: false } } as const;
