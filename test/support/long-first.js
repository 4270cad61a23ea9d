// The order of the test files: long ones first. Where jest has no times of an earlier run it goes by the size of a file, and
// the ledger, a small one, would run alone at the end.

const Sequencer = require('@jest/test-sequencer').default;

const long = [
  'test/ledger.test.ts',
  'test/cli/parity.test.ts',
  'test/cli/resume.test.ts',
  'test/cli/new.test.ts',
  'test/first-project.test.ts',
  'test/cli/pin.test.ts',
  'test/cli/commands.test.ts',
  'test/core/train/golden.test.ts',
  'test/proj/jetformer/train.test.ts',
];

module.exports = class LongFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const place = long.findIndex((name) => path.endsWith(name));
      return place < 0 ? long.length : place;
    };
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
  }
};
