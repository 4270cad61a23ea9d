/** The direction of imports: proj -> plugins -> core, and a plugin is used through its index alone. */
/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'core-knows-nobody',
      comment: 'core/ imports no plugin, project or config.',
      severity: 'error',
      from: { path: '^core/' },
      to: { path: '^(plugins|proj|configs|templates|bench|test)/' },
    },
    {
      name: 'plugins-take-the-core-by-file',
      comment: 'core/index.ts is the door of packages: who comes through it loads all of the core.',
      severity: 'error',
      from: { path: '^(core|plugins)/' },
      to: { path: '^core/index\\.ts$' },
    },
    {
      name: 'plugins-know-no-project',
      severity: 'error',
      from: { path: '^plugins/' },
      to: { path: '^(proj|configs|templates|bench|test)/' },
    },
    {
      name: 'a-plugin-through-its-index',
      comment: 'A plugin uses another only through its public index.',
      severity: 'error',
      from: { path: '^(?:plugins|proj)/([^/]+)/' },
      to: { path: '^plugins/(?!$1/)[^/]+/(?!index\\.ts$)' },
    },
    {
      name: 'a-project-through-its-index',
      severity: 'error',
      from: { path: '^proj/([^/]+)/' },
      to: { path: '^proj/(?!$1/)[^/]+/(?!index\\.ts$)' },
    },
    {
      name: 'portable-code-knows-no-engine',
      comment: 'Only the runtimes themselves may import an engine.',
      severity: 'error',
      from: { path: '^(plugins|proj)/', pathNot: '^plugins/(xla|tfjs)/' },
      to: { path: '^plugins/(xla|tfjs)/' },
    },
    {
      name: 'tfjs-through-the-tensor-module',
      comment: 'core/tensor is the only door to tfjs-core, except for the backends.',
      severity: 'error',
      from: { path: '^(core|plugins|proj|configs)/', pathNot: '^(core/tensor|plugins/(xla|tfjs))/' },
      to: { path: 'node_modules/@tensorflow/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
