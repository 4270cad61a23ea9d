// Runs once before all tests: fetches XLA's CPU plugin where it isn't there yet, so that no test has to.

require('../../core/register');

module.exports = async () => {
  const { ensureInstalled } = require('../../plugins/xla/install');
  await ensureInstalled('cpu');
};
