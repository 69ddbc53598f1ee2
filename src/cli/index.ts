export { parseArguments, print, ServesCommands, UsageError, withServices, type Command } from './command.js';
export { Progress } from './progress.js';
