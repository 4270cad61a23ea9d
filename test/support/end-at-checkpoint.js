// To be required before a run: when the checkpoint of step END_AT has its name, the process gets the signal END_BY.

const fs = require('node:fs/promises');
const path = require('node:path');

const { rename } = fs;
fs.rename = async (from, to) => {
  await rename(from, to);
  if (Number(path.basename(to)) === Number(process.env.END_AT)) process.kill(process.pid, process.env.END_BY);
};
