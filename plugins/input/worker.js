// The entry of a worker thread: makes TypeScript loadable, then hands over.
require('../../core/register');
module.exports = require('./worker.ts').default;
