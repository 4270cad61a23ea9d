import { wordTokenizer } from '../../../plugins/text';

const tokenizer = wordTokenizer(['A red cat', 'a red dog, a cat', 'ein Käse'], 100);

test('known words are one token, others are spelled', () => {
  const ids = tokenizer.encode('a Red cat');
  expect(ids).toEqual(['▁a', '▁red', '▁cat'].map(tokenizer.idOf));
  expect(tokenizer.encode('tac')).toEqual(['▁', 't', 'a', 'c'].map(tokenizer.idOf));
  expect(tokenizer.encode('zebra')[1]).toBe(tokenizer.unknown);
});

test('begin, end and padding', () => {
  const ids = tokenizer.encode('käse', { bos: true, eos: true });
  expect(ids).toEqual([tokenizer.bos, tokenizer.idOf('▁käse'), tokenizer.eos]);
  expect(tokenizer.decode([...ids, tokenizer.idOf('▁cat'), tokenizer.pad])).toBe('käse');
  expect(tokenizer.decode([...ids, tokenizer.idOf('▁cat')], { stopAtEos: false })).toBe('käse</s> cat');
});

test('words of the texts come back', () => {
  expect(tokenizer.decode(tokenizer.encode('A  Tac, a cat'))).toBe('a tac , a cat');
});

test('a small vocabulary keeps the signs, then the most frequent words', () => {
  const small = wordTokenizer(['red red cat'], 4 + 1 + 6 + 1);
  expect([small.size, small.idOf('▁red'), small.idOf('▁cat')]).toEqual([12, 11, small.unknown]);
});
