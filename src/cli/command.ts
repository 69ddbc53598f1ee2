import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { NestFactory } from '@nestjs/core';
import type { INestApplicationContext, Type } from '@nestjs/common';
import { KeyRing } from '@nestjs-secure-template/field-encryption';
import { purposes } from '../common/macs.js';
import type { Config, VariableName } from '../config/index.js';
import { Database } from '../database/index.js';
import { OperatorModule } from './operator.module.js';

/** The words on the command line are off; the message tells how they should be. */
export class UsageError extends Error {}

export interface Command {
  /** `users:grant` */
  readonly name: string;
  /** The arguments, for the help text. */
  readonly usage: string;
  readonly description: string;
  /** The variables that it reads, where the others cannot be set yet. Left out: all, held to what the boot demands. */
  readonly variables?: readonly VariableName[];
  /** Under this name it is a response to an incident too, which asks for a reason: the word `respond` and a verb. */
  readonly response?: string;
  /** @returns the exit code. @throws UsageError */
  readonly run: (config: Config, args: readonly string[]) => Promise<number>;
}

const serving = new Map<Type, readonly Command[]>();

/**
 * Above a module: operator commands start it too, without a listener, and have these commands from it. Without any it
 * is there for what commands of others do, such as to forget an address with the person who is erased.
 */
export const ServesCommands =
  (...commands: readonly Command[]) =>
  (module: Type): void =>
    void serving.set(module, commands);

export const declaredCommands = (): Command[] => [...serving.values()].flat();

const derivations: ((commands: readonly Command[]) => Command[])[] = [];

/** Commands that are made of others, whatever parts these are of. @public: every user of it can be removed. */
export const deriveCommands = (derive: (commands: readonly Command[]) => Command[]): void =>
  void derivations.push(derive);

export const derivedCommands = (commands: readonly Command[]): Command[] =>
  derivations.flatMap((derive) => derive(commands));

/**
 * The words of a command line: `--name` switches, `--name value` options, and so many plain words. @throws UsageError
 */
export function parseArguments<O extends ParseArgsOptionsConfig>(
  usage: string,
  args: readonly string[],
  options: O,
  plain = 0,
) {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    if (positionals.length === plain) return { values, positionals };
  } catch (error) {
    // The parser's own words, without its advice on quoting.
    throw new UsageError(`${(error as Error).message.split('. ')[0]}\nusage: ${usage}`);
  }
  throw new UsageError(`usage: ${usage}`);
}

export const print = (line: string): void => void process.stdout.write(`${line}\n`);

/**
 * Runs the work with the services of the application, beside a running service if there is one, and closes all of it.
 */
export async function withServices<T>(config: Config, work: (app: INestApplicationContext) => Promise<T>): Promise<T> {
  const keyRing = await KeyRing.load(config.keyRingFile, purposes);
  const database = await Database.open(config, keyRing, { join: true });
  try {
    const app = await NestFactory.createApplicationContext(
      OperatorModule.with({ config, keyRing, database }, [...serving.keys()]),
      {
        logger: ['error', 'fatal'],
        abortOnError: false,
      },
    );
    try {
      return await work(app);
    } finally {
      await app.close();
    }
  } finally {
    await database.close();
  }
}
