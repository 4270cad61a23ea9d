// The native library reads the environment of the worker processes, which jest's sandbox keeps tests from changing.
// Of what it logs, only the end of the process counts: on a busy machine it takes a slow compilation for an error, and tests
// expect that nothing is printed.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '3';

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  // Jest's guard of leaked globals wraps tfjs's engine, whose setters then call themselves without end.
  testEnvironmentOptions: { globalsCleanup: 'off' },
  roots: ['<rootDir>/test'],
  globalSetup: '<rootDir>/test/support/global-setup.js',
  testSequencer: '<rootDir>/test/support/long-first.js',
  testMatch: ['**/*.test.ts'],
  transform: {
    'sentencepiece-js/dist/index\\.cjs$': '<rootDir>/test/support/without-import.js',
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          target: 'es2022',
        },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  transformIgnorePatterns: ['/node_modules/(?!@sctg/)'],
  // Two cores: one worker per core, and the tests that spawn `bv` need room to finish.
  maxWorkers: 2,
  // It ends what hangs; how fast a machine is isn't tested.
  testTimeout: 900_000,
};
