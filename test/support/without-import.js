// jest's sandbox has no import() without a flag of Node; the WebAssembly loader of SentencePiece wants one module by it.

/** @type {import('@jest/transform').SyncTransformer} */
module.exports = {
  process: (source) => ({
    code: source.replaceAll("await import('module')", "require('module')"),
  }),
};
