#!/usr/bin/env node
// TypeScript is compiled on the fly, so that a clone needs no build step and a user's plugin loads as ours do.
// Node 22 and later keep compiled code between starts.
require('node:module').enableCompileCache?.();
require('../core/register');
require('../core/cli/main').main(process.argv);
