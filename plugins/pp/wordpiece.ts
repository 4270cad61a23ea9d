// BERT's tokenizer (Devlin et al., arXiv:1810.04805) for texts without case: what TensorFlow Text's BertTokenizer does before
// it looks for pieces, which differs from the usual normalisation; the pieces are found by Hugging Face's WordPiece.

import { readFileSync } from 'node:fs';
import { Tokenizer as HuggingFace } from '@huggingface/tokenizers';
import type { Tokenizer } from '../../core/extensions';
import { errors } from './features';

const special = { unknown: '[UNK]', bos: '[CLS]', eos: '[SEP]', pad: '[PAD]' } as const;
/** Longer words are unknown; in bytes of UTF-8. */
const maxWordBytes = 100;

/**
 * Case folding after compatibility decomposition (Unicode's toNFKC_Casefold, without its rare exceptions), without accents;
 * control characters are spaces.
 */
function normalise(text: string): string {
  const folded = text
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    // Upper case first turns ß into ss; the dotless i has its own fold.
    .replace(/[^\u0131]+/gu, (part) => part.toLowerCase().toUpperCase().toLowerCase())
    .replaceAll('ς', 'σ');
  return folded.normalize('NFD').replace(/\p{Mn}/gu, '').replace(/[\p{Cc}\p{Cf}]/gu, ' '); // prettier-ignore
}

/** Words; each punctuation mark and each CJK ideograph is one. */
const words =
  /[!-/:-@[-`{-~\p{P}]|[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]|[^\t\n\f\r !-/:-@[-`{-~\p{P}\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]+/gu;

/** From the text of a vocabulary file: a piece a line, and its line number is its id. */
export function wordPieceOf(file: string): Tokenizer {
  const pieces = file.replace(/\n$/, '').split('\n');
  const vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]));
  const idOf = (piece: string) => (Object.hasOwn(vocab, piece) ? (vocab[piece] as number) : -1);
  const [unknown, bos, eos, pad] = (['unknown', 'bos', 'eos', 'pad'] as const).map((name) =>
    idOf(special[name]),
  ) as [number, number, number, number];
  const library = new HuggingFace(
    {
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: { type: 'WordPiece', prefix: '##', cleanup: false },
      added_tokens: [],
      model: {
        type: 'WordPiece',
        vocab,
        unk_token: special.unknown,
        continuing_subword_prefix: '##',
        max_input_chars_per_word: maxWordBytes,
      },
    },
    {},
  );
  const idsOf = (word: string) =>
    Buffer.byteLength(word) > maxWordBytes ? [unknown] : library.encode(word).ids;
  return {
    encode: (text, options = {}) => [
      ...(options.bos ? [bos] : []),
      ...(normalise(text).match(words) ?? []).flatMap(idsOf),
      ...(options.eos ? [eos] : []),
    ],
    decode: (ids, { stopAtEos = true } = {}) => {
      const end = stopAtEos ? ids.indexOf(eos) : -1;
      const kept = (end < 0 ? ids : ids.slice(0, end)).filter((id) => id !== bos && id !== eos && id !== pad);
      return kept.length === 0 ? '' : library.decode(kept, { clean_up_tokenization_spaces: false });
    },
    idOf: (piece) => (idOf(piece) < 0 ? unknown : idOf(piece)),
    size: pieces.length,
    bos,
    eos,
    pad,
    unknown,
  };
}

const loaded = new Map<string, Tokenizer>();

/** Reads a vocabulary file (`vocab.txt`), once. */
export function wordPiece(path: string): Tokenizer {
  let tokenizer = loaded.get(path);
  if (!tokenizer) {
    try {
      tokenizer = wordPieceOf(readFileSync(path, 'utf8'));
    } catch (error) {
      throw errors.unreadable({ op: 'the tokenizer', path, reason: (error as Error).message });
    }
    loaded.set(path, tokenizer);
  }
  return tokenizer;
}
