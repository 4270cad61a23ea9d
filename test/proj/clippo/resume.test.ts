import { expectExactResumption } from '../../support/resumption';

jest.setTimeout(180_000);

// A mixture of two sources, each with random numbers of its own.
test('a killed run of CLIPPO with pairs of texts goes on with the same bits', () =>
  expectExactResumption('configs/proj/clippo/openmoji.ts', {
    'evals.retrieval': 'null',
    'evals.group': 'null',
  }));
