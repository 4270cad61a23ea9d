// Ops on texts that read files.

import * as fs from 'node:fs';
import * as path from 'node:path';
import type { HostArray } from '../../../core/array';
import { ppServices, runPp } from '../../support/pp';
import { temporaryFolder } from '../../support/temporary';

const write = (name: string, content: string | Uint8Array): string => {
  const file = path.join(temporaryFolder(), name);
  fs.writeFileSync(file, content);
  return file;
};
const numbers = async (pp: string, example: Parameters<typeof runPp>[1], key = 'labels') => {
  const { shape, data } = (await runPp(pp, example))[key] as HostArray;
  return { shape, values: [...data] };
};

describe('lookup', () => {
  // By numpy.savez_compressed(file, fnames=numpy.array(['a.jpg', 'b c.jpg', '日本'])), and savez(file, names=[b'x', b'yy']).
  const texts =
    'UEsDBC0AAAAIAAAAIQBV++qv//////////8KABQAZm5hbWVzLm5weQEAEADUAAAAAAAAAGQAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbhNqrq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaxjqaOgq1ChQArkQGBgY9IM4C4gIgTmdAgCQgVgDiZCxqnqYyMOggK0YCAFBLAQItAy0AAAAIAAAAIQBV++qvZAAAANQAAAAKAAAAAAAAAAAAAACAAQAAAABmbmFtZXMubnB5UEsFBgAAAAABAAEAOAAAAKAAAAAAAA==';
  const bytes =
    'UEsDBC0AAAAAAAAAIQCuAUco//////////8JABQAbmFtZXMubnB5AQAQAIQAAAAAAAAAhAAAAAAAAACTTlVNUFkBAHYAeydkZXNjcic6ICd8UzInLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgCngAeXlQSwECLQMtAAAAAAAAACEArgFHKIQAAACEAAAACQAAAAAAAAAAAAAAgAEAAAAAbmFtZXMubnB5UEsFBgAAAAABAAEANwAAAL8AAAAAAA==';

  it('finds texts in the lines of a file, or numbers behind them', async () => {
    const lines = write('names.txt', 'cat\nbig dog\nfish\n');
    expect(await numbers(`lookup('${lines}', inkey='t', outkey='labels')`, { t: 'big dog' })).toEqual({ shape: [], values: [1] }); // prettier-ignore
    const pairs = write('pairs.txt', 'cat:7\ndog:3');
    expect(await numbers(`lookup('${pairs}', sep=':', inkey='t', outkey='labels')`, { t: ['dog', 'cow', 'cat'] })).toEqual({ shape: [3], values: [3, -1, 7] }); // prettier-ignore
  });

  it('finds texts in an array of a .npz file', async () => {
    const file = write('names.npz', Buffer.from(texts, 'base64'));
    expect(await numbers(`lookup('${file}', inkey='t', outkey='labels')`, { t: ['日本', 'a.jpg', 'b c.jpg', 'c'] })).toEqual({ shape: [4], values: [2, 0, 1, -1] }); // prettier-ignore
    const other = write('bytes.npz', Buffer.from(bytes, 'base64'));
    expect(await numbers(`lookup('${other}', npzkey='names', inkey='t', outkey='labels')`, { t: 'yy' })).toEqual({ shape: [], values: [1] }); // prettier-ignore
  });

  it('says what is wrong with a file', async () => {
    const file = write('bytes.npz', Buffer.from(bytes, 'base64'));
    await expect(runPp(`lookup('${file}', key='t')`, { t: 'x' })).rejects.toThrow(/bytes\.npz: it has no "fnames", but names/); // prettier-ignore
    const broken = write('broken.npz', 'text');
    await expect(runPp(`lookup('${broken}', key='t')`, { t: 'x' })).rejects.toThrow(
      /can't read .*broken\.npz/,
    );
  });
});

describe('bert_tokenize', () => {
  const vocab = () => write('vocab.txt', '[PAD]\n[UNK]\n[CLS]\n[SEP]\nfox\n##es\n!\n');

  it('takes the first or a random one of several texts', async () => {
    const file = vocab();
    const op = (more: string) => `bert_tokenize('${file}', 4, inkey='t'${more})`;
    expect(await numbers(op(''), { t: 'Foxes!' })).toEqual({ shape: [4], values: [2, 4, 5, 6] });
    expect((await numbers(op(', sample_if_multi=False'), { t: ['fox', 'foxes'] })).values).toEqual([
      2, 4, 0, 0,
    ]);
    expect((await numbers(op(''), { t: [] })).values).toEqual([2, 0, 0, 0]);
    expect([5, 0]).toContain((await numbers(op(''), { t: ['fox', 'foxes'] })).values[2]);
  });

  it('is a tokenizer for tok, and goes back to texts', async () => {
    const file = vocab();
    expect((await numbers(`tok(model="bert('${file}')", length=6, bos='yes', eos='sticky', key='t')`, { t: 'foxes fox' }, 't')).values).toEqual([2, 4, 5, 4, 3, 0]); // prettier-ignore
    const { registry, container } = ppServices;
    const tokenizer = await registry.create(container, 'tokenizer', 'bert', { vocab_path: file }, 'test');
    expect(tokenizer.decode([2, 4, 5, 6, 3, 4])).toBe('foxes !');
    expect([tokenizer.idOf('fox'), tokenizer.idOf('cow'), tokenizer.size]).toEqual([4, 1, 7]);
  });

  it('names a vocabulary that is not there', async () => {
    await expect(runPp("bert_tokenize('no/vocab.txt', 4, inkey='t')", { t: 'x' })).rejects.toThrow(/can't read no\/vocab\.txt/); // prettier-ignore
  });
});
