#!/usr/bin/env node
// TypeScript is compiled on the fly, so that a clone needs no build step and a user's plugin loads as ours do.
require('../core/register');
require('../core/cli/main').main(process.argv);
