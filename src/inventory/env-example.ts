import { declaredFamilies, declaredSettings, variables, type Variable } from '../config/index.js';

const introduction = `# Every variable that the service reads. None is needed in development: copy this file to .env and
# uncomment what you set.
# Nothing in here is usable as a secret, and a wrong value stops the boot with the fix.
# Printed from the declarations: npm run inventory --silent -- --env > .env.example
`;

/** All variables by name: those of the machine room, and those that practices and features declare. */
export function allVariables(): ReadonlyMap<string, Variable<unknown>> {
  const all: readonly Readonly<Record<string, Variable<unknown>>>[] = [
    variables,
    ...declaredSettings().map((settings) => settings.variables),
    ...declaredFamilies().map(({ prefix, example, variables: own }) =>
      Object.fromEntries(Object.entries(own).map(([name, variable]) => [`${prefix}_${example}_${name}`, variable])),
    ),
  ];
  return new Map(all.flatMap((some) => Object.entries(some)));
}

/** The text of .env.example, by groups. */
export function envExample(): string {
  const groups = Map.groupBy(allVariables(), ([, { group }]) => group);
  const text = [...groups].map(([group, entries]) => `\n# --- ${group} ---\n${entries.map(entryOf).join('')}`);
  return introduction + text.join('');
}

const entryOf = ([name, { description, example, requiredInProduction }]: readonly [
  string,
  Variable<unknown>,
]): string =>
  `# ${description}${requiredInProduction === true ? ' (required in production)' : ''}\n# ${name}=${example}\n`;
