import { expectExactResumption } from '../../support/resumption';

jest.setTimeout(180_000);

// Random crops, texts drawn at random, dropout, two towers, temperature and bias.
test('a killed run of SigLIP goes on with the same bits', () =>
  expectExactResumption('configs/proj/image_text/openmoji.ts', {
    'evals.retrieval': 'null',
    'evals.group': 'null',
  }));
