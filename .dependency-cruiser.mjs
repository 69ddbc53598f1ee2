// Who may import whom: the layout's promises (docs/architecture.md), held by CI.
const feature = '^src/(auth|users|resources|invitations)/';

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
      to: { path: `${feature}|^src/(app|main|cli)` },
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
      name: 'data-protection-is-separable',
      comment: 'The folder works in another project: of ours it may know the vocabulary and the configuration only.',
      severity: 'error',
      from: { path: '^src/security/data-protection/' },
      to: { path: '^src/', pathNot: '^src/(security/data-protection|common|config)/' },
    },
    {
      name: 'source-does-not-import-tests-or-dev-tools',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/security/data-protection/generator/' },
      to: { dependencyTypes: ['npm-dev'] },
    },
    { name: 'everything-resolves', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'], extensions: ['.ts', '.js'] },
  },
};
