// Loads TypeScript on the fly: require hooks from pirates, one swc transform a file, and a cache on disk
// so that the second start only reads. Also resolves this package's own name from anywhere. A plain
// JavaScript file, since it is what makes the others loadable.
const crypto = require('node:crypto');
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const { addHook } = require('pirates');

const options = {
  jsc: {
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    target: 'es2022',
  },
  module: { type: 'commonjs' },
  sourceMaps: 'inline',
  swcrc: false,
};
const swcVersion = require('@swc/core/package.json').version;
const cacheDir = path.join(__dirname, '..', 'node_modules', '.cache', 'big-vision-ts', 'swc');
const salt = `${swcVersion}\0${JSON.stringify(options)}\0`;

function transform(code, filename) {
  const key = crypto.createHash('sha1').update(salt).update(filename).update('\0').update(code).digest('hex');
  const cached = path.join(cacheDir, `${key}.js`);
  try {
    return fs.readFileSync(cached, 'utf8');
  } catch {
    // Not cached yet.
  }
  const output = require('@swc/core').transformSync(code, { ...options, filename }).code;
  try {
    fs.mkdirSync(cacheDir, { recursive: true });
    const temporary = `${cached}.${process.pid}`;
    fs.writeFileSync(temporary, output);
    fs.renameSync(temporary, cached);
  } catch {
    // A read-only installation runs without the cache.
  }
  return output;
}

// A plugin or config outside this package gets the core that runs it, wherever it lies: services are known by the
// identity of their tokens, so a second copy of the core would find none of them.
const packageName = require('../package.json').name;
const resolveFilename = Module._resolveFilename;
Module._resolveFilename = function (request, parent, ...rest) {
  const ours = request === packageName || request.startsWith(`${packageName}/`);
  return resolveFilename.call(this, request, ours ? module : parent, ...rest);
};

process.setSourceMapsEnabled(true);
addHook(transform, { exts: ['.ts'], ignoreNodeModules: false });
