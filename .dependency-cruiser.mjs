// Who may import whom: the layout's promises, held by CI.
import { globSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** The folders of the features, as the table names them: whatever is in its lists of sign-in and of features. */
function featureFolders() {
  const table = readFileSync(new URL('src/app.module.ts', import.meta.url), 'utf8');
  const listed = [...table.matchAll(/^const (?:signIn|features) = \[([^\]]*)\]/gm)].flatMap(
    ([, list]) => list.match(/\w+Module/g) ?? [],
  );
  const imports = [...table.matchAll(/^import \{([^}]*)\} from '\.\/([^/']+)\//gm)];
  const folders = imports.flatMap(([, names, folder]) => (listed.some((name) => names.includes(name)) ? [folder] : []));
  if (folders.length === 0)
    throw new Error('src/app.module.ts: no features are found in its lists signIn and features');
  return [...new Set(folders)];
}

/** What `npm run remove` takes away: the folder or file that says so in its opening lines (scripts/remove/parts.ts). */
function removableParts() {
  const declaring = globSync('src/**/*.ts', { cwd: import.meta.dirname }).filter((path) =>
    /^\/\/ Remove: (?!not by itself)/m.test(readFileSync(new URL(path, import.meta.url), 'utf8')),
  );
  return declaring.map((path) => (/(?:\.module|\/index|\/main)\.ts$/.test(path) ? `${dirname(path)}/` : path));
}

const removable = `^(${removableParts().join('|') || 'nothing'})`;
const feature = `^src/(${featureFolders().join('|')})/`;

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: { pathNot: '^src/generated/' }, to: { circular: true } },
    {
      name: 'common-imports-nothing-of-ours',
      comment: 'common/ is the vocabulary: whatever it imported, everything would depend on.',
      severity: 'error',
      from: { path: '^src/common/' },
      to: { path: '^src/', pathNot: '^src/common/' },
    },
    {
      name: 'practices-do-not-import-practices',
      comment: 'An import between practices silently reorders the global guards: authorization before authentication.',
      severity: 'error',
      from: { path: '^src/security/([^/]+)/' },
      to: { path: '^src/security/([^/]+)/', pathNot: '^src/security/$1/' },
    },
    {
      name: 'practices-do-not-import-features',
      severity: 'error',
      from: { path: '^src/security/' },
      to: { path: `${feature}|^src/(app|main)|^src/cli/(?!index\\.ts)` },
    },
    {
      name: 'users-never-imports-auth',
      comment: 'users knows who people are; auth knows how they prove it.',
      severity: 'error',
      from: { path: '^src/users/' },
      to: { path: '^src/auth/' },
    },
    {
      name: 'features-by-their-index',
      severity: 'error',
      from: { path: '^src/([^/]+)/', pathNot: '^src/security/' },
      to: { path: feature, pathNot: ['^src/$1/', '/index\\.ts$'] },
    },
    {
      name: 'nothing-needs-what-can-be-removed',
      comment:
        'A part can be taken away when nothing that stays imports it, but the table and the lists that name it. Let the ' +
        'part register itself with what uses it.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: [removable, '^src/app\\.module\\.ts$', '^src/auth/index\\.ts$', '/key-wrappers\\.ts$'],
      },
      to: { path: removable },
    },
    {
      name: 'packages-import-nothing-of-the-service',
      comment: 'A package works in another project.',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^(src|scripts|bench|test)/' },
    },
    {
      name: 'source-does-not-import-tests-or-dev-tools',
      severity: 'error',
      from: { path: '^(src|packages)/', pathNot: '^packages/field-encryption/src/generator/' },
      to: { dependencyTypes: ['npm-dev'] },
    },
    { name: 'everything-resolves', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js'],
    },
  },
};
