// The entry of the thread: makes TypeScript loadable, then hands over.
require('../register');
require('./link.ts');
