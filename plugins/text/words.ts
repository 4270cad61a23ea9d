// A tokenizer of whole words, made from the texts of a small data set: what needs no download.

import type { Tokenizer } from '../../core/extensions';

/** Begins a word, as in SentencePiece's vocabularies. */
const space = '▁';
const special = { pad: 0, eos: 1, bos: 2, unknown: 3 } as const;
const names = ['<pad>', '</s>', '<s>', '<unk>'];

/** Lower-case words, and single signs between them. */
const wordsOf = (text: string): string[] =>
  text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+|[^\s\p{L}\p{M}\p{N}]/gu) ?? [];

/**
 * A vocabulary of the signs and the most frequent words of the texts; other words are spelled. Texts are lower-cased, and
 * decoded with one space between words.
 * @param size of the vocabulary, if there are that many words
 */
export function wordTokenizer(texts: readonly string[], size: number): Tokenizer {
  const counts = new Map<string, number>();
  for (const word of texts.flatMap(wordsOf)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const signs = [...new Set([...counts.keys()].flatMap((word) => [...word]))].sort();
  const frequent = [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([word]) => space + word);
  const pieces = [...new Set([...names, space, ...signs, ...frequent])].slice(0, size);
  const ids = new Map(pieces.map((piece, id) => [piece, id]));
  const idOf = (piece: string) => ids.get(piece) ?? special.unknown;

  const idsOf = (word: string) => {
    const whole = ids.get(space + word);
    return whole === undefined ? [space, ...word].map(idOf) : [whole];
  };
  return {
    ...special,
    size: pieces.length,
    idOf,
    encode: (text, { bos = false, eos = false } = {}) => [
      ...(bos ? [special.bos] : []),
      ...wordsOf(text).flatMap(idsOf),
      ...(eos ? [special.eos] : []),
    ],
    decode(ids, { stopAtEos = true } = {}) {
      const end = stopAtEos ? ids.indexOf(special.eos) : -1;
      const shown = (end < 0 ? ids : ids.slice(0, end)).filter(
        (id) => id !== special.pad && id !== special.bos,
      );
      return shown
        .map((id) => pieces[id] ?? names[special.unknown])
        .join('')
        .replaceAll(space, ' ')
        .trim();
    },
  };
}
