// The entry of the thread: makes TypeScript loadable, then hands over.
require('../../../core/register');
require('./worker.ts');
