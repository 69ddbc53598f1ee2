export {
  deriveCommands,
  parseArguments,
  print,
  ServesCommands,
  UsageError,
  withServices,
  type Command,
} from './command.js';
export { declareKeyCount } from './key-counts.js';
export { Progress } from './progress.js';
