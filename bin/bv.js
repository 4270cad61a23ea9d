#!/usr/bin/env node
// TypeScript is compiled on the fly, so that a clone needs no build step and a user's plugin loads as ours do.
// Node 22 and later keep compiled code between starts.
require('node:module').enableCompileCache?.();
// Images are read and decoded on libuv's threads: 4 unless told before the first of them starts.
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, require('node:os').availableParallelism()));
require('../core/register');
require('../core/cli/main').main(process.argv);
