import { NestFactory } from '@nestjs/core';
import type { INestApplicationContext } from '@nestjs/common';
import { OperatorModule } from './operator.module.js';
import type { Config, VariableName } from '../config/index.js';
import { Database } from '../database/index.js';
import { KeyRing } from '../security/data-protection/index.js';

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
  /** @returns the exit code. @throws UsageError */
  readonly run: (config: Config, args: readonly string[]) => Promise<number>;
}

/** Runs the work with the services of the application, beside a running service if there is one, and closes all of it. */
export async function withServices<T>(config: Config, work: (app: INestApplicationContext) => Promise<T>): Promise<T> {
  const keyRing = await KeyRing.load(config.keyRingFile);
  const database = await Database.open(config, keyRing, { join: true });
  try {
    const app = await NestFactory.createApplicationContext(OperatorModule.with({ config, keyRing, database }), {
      logger: ['error', 'fatal'],
      abortOnError: false,
    });
    try {
      return await work(app);
    } finally {
      await app.close();
    }
  } finally {
    await database.close();
  }
}
