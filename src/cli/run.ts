import 'reflect-metadata';
import { bootFailure } from '../boot-failure.js';
import { ConfigurationError, configFromEnvironment, type Config } from '../config/index.js';
import { commands, helpText } from './commands.js';
import { UsageError } from './command.js';

const [name, ...args] = process.argv.slice(2);
if (name === undefined || name === 'help' || name === '--help') {
  process.stdout.write(helpText());
  process.exit(name === undefined ? 2 : 0);
}

let config: Config | undefined;
try {
  const command = commands.find((known) => known.name === name);
  if (command === undefined) throw new UsageError(`there is no command ${name}\n\n${helpText()}`);
  if (args.includes('--help')) {
    process.stdout.write(`${command.name} ${command.usage}\n  ${command.description}\n`);
    process.exit(0);
  }
  config = configFromEnvironment(command.variables);
  process.exitCode = await command.run(config, args);
} catch (error) {
  const usage = error instanceof UsageError;
  process.stderr.write(
    `${usage || error instanceof ConfigurationError ? error.message : bootFailure(error, config)}\n`,
  );
  process.exitCode = usage ? 2 : 1;
}
