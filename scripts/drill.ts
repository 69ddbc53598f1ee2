// An attack on a service of its own, and what detection and responses make of it: see the help.
import { drills } from './drill/attacks.ts';
import { Exercise } from './drill/exercise.ts';

const help = `npm run drill <${Object.keys(drills).join('|')}>

Starts a service on an empty database, plays the attack, waits for the alert, responds as the runbook says, and shows
that the attacker gets nothing more, with the seconds since the attack began. Changes nothing of yours.

${Object.entries(drills)
  .map(([name, { description }]) => `  ${name.padEnd(14)} ${description}`)
  .join('\n')}

The status is 1 when something was not noticed, or not stopped.
`;

const drill = drills[process.argv[2] ?? ''];
if (drill === undefined) {
  const isAsked = process.argv[2] === '--help';
  process.stdout.write(help);
  process.exit(isAsked ? 0 : 2);
}
const exercise = new Exercise();
try {
  await exercise.start();
  await drill.play(exercise);
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  exercise.stop();
}
