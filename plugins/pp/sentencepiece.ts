// SentencePiece (Kudo & Richardson, arXiv:1808.06226), unigram and BPE: Google's own code as WebAssembly reads the model
// file. Extra pieces are added to the file first, as the original does it.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { SentencePieceProcessor } from '@sctg/sentencepiece-js';
import protobuf from 'protobufjs';
import { parseCalls } from '../../core/call-string';
import type { Tokenizer } from '../../core/extensions';
import { errors } from './features';

/** What the wrapper's class keeps private. */
interface Native {
  readonly processor: { PieceToId(view: unknown): number };
  readonly sentencepiece: {
    readonly StringView: new (text: string) => { getView(): Handle; delete(): void };
  };
}
interface Handle {
  delete(): void;
}

let Processor: typeof SentencePieceProcessor | undefined;

function newProcessor(): SentencePieceProcessor & Native {
  if (!Processor) {
    // The package names its ES module alone, which CommonJS can't load on every Node that we support.
    const file = join(dirname(require.resolve('@sctg/sentencepiece-js')), 'index.cjs');
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    Processor = (require(file) as { SentencePieceProcessor: typeof SentencePieceProcessor })
      .SentencePieceProcessor;
  }
  return new Processor() as SentencePieceProcessor & Native;
}

// ---- The model file ----------------------------------------------------------------------------------------------------

const { Field, Type } = protobuf;
/** sentencepiece_model.proto; what isn't looked into stays bytes, so that nothing is lost. */
const Piece = new Type('Piece')
  .add(new Field('piece', 1, 'string'))
  .add(new Field('score', 2, 'float'))
  .add(new Field('type', 3, 'int32'));
const Model = new Type('Model')
  .add(Piece)
  .add(new Field('pieces', 1, 'Piece', 'repeated'))
  .add(new Field('trainerSpec', 2, 'bytes'))
  .add(new Field('normalizerSpec', 3, 'bytes'))
  .add(new Field('selfTestData', 4, 'bytes'))
  .add(new Field('denormalizerSpec', 5, 'bytes'));
const Trainer = new Type('Trainer')
  .add(new Field('unkPiece', 45, 'string'))
  .add(new Field('bosPiece', 46, 'string'))
  .add(new Field('eosPiece', 47, 'string'))
  .add(new Field('padPiece', 48, 'string'));
new protobuf.Root().add(Model).add(Trainer);

interface PieceFields {
  readonly piece: string;
  readonly score: number;
  readonly type: number;
}
interface ModelFields {
  readonly pieces: PieceFields[];
  readonly trainerSpec?: Uint8Array;
}
const kinds = { normal: 1, unknown: 2, control: 3, userDefined: 4 } as const;

/** Replaces or appends pieces that are found whole in any text. */
function withExtras(model: ModelFields, extras: readonly string[]): ModelFields {
  const pieces = [...model.pieces];
  const ids = new Map(pieces.map(({ piece }, id) => [piece, id]));
  for (const extra of extras) {
    const piece = { piece: extra.replaceAll(' ', '▁'), score: 0, type: kinds.userDefined };
    const id = ids.get(piece.piece);
    if (id === undefined) pieces.push(piece);
    else pieces[id] = piece;
  }
  return { ...model, pieces };
}

/** `loc` is <loc0000> to <loc1023>, `seg` is <seg000> to <seg127>; `loc(n=2048)` has more. */
function extraPieces(tokensets: readonly string[]): string[] {
  const number = (prefix: string, digits: number, count: number) =>
    Array.from({ length: count }, (_, i) => `<${prefix}${String(i).padStart(digits, '0')}>`);
  const known: Readonly<Record<string, (n?: number) => string[]>> = {
    loc: (n = 1024) => number('loc', 4, n),
    seg: (n = 128) => number('seg', 3, n),
    sp_extra_tokens: () => ['<s>', '</s>', '<pad>'],
  };
  const found = tokensets.flatMap((text) =>
    parseCalls(text, 'tokensets').flatMap(({ name, args }) => {
      const make = known[name];
      if (make) return make(args[0]?.value as number | undefined);
      const problem = `knows no set of tokens "${name}"`;
      throw errors.size({ op: 'sp', problem, fix: `one of: ${Object.keys(known).join(', ')}.` });
    }),
  );
  return [...new Set(found)].sort();
}

/** Vocabularies of T5, by the names that the original has for them. */
const published: Readonly<Record<string, string>> = {
  mc4: 't5-data/vocabs/mc4.250000.100extra/sentencepiece.model',
  cc_all: 't5-data/vocabs/cc_all.32000/sentencepiece.model',
  c4_en: 't5-data/vocabs/cc_en.32000/sentencepiece.model',
  t5: 't5-data/vocabs/cc_all.32000.100extra/sentencepiece.model',
  mt5: 't5-data/vocabs/mc4.250000.100extra/sentencepiece.model',
};

function readModel(model: string): Uint8Array {
  const remote = published[model] ?? /^gs:\/\/(.*)/.exec(model)?.[1];
  if (remote !== undefined)
    throw errors.remoteModel({ model, url: `https://storage.googleapis.com/${remote}` });
  try {
    return readFileSync(model);
  } catch (error) {
    throw errors.unreadable({ op: 'the tokenizer', path: model, reason: (error as Error).message });
  }
}

// ---- The tokenizer -----------------------------------------------------------------------------------------------------

const loaded = new Map<string, Promise<Tokenizer>>();

/** Reads a SentencePiece model file, with extra tokens; each is read once. */
export function sentencePiece(model: string, tokensets: readonly string[] = []): Promise<Tokenizer> {
  const key = JSON.stringify([model, tokensets]);
  let tokenizer = loaded.get(key);
  if (!tokenizer) {
    tokenizer = loadSentencePiece(readModel(model), tokensets);
    loaded.set(key, tokenizer);
  }
  return tokenizer;
}

export async function loadSentencePiece(
  bytes: Uint8Array,
  tokensets: readonly string[] = [],
): Promise<Tokenizer> {
  const file = withExtras(Model.decode(bytes) as unknown as ModelFields, extraPieces(tokensets));
  const native = newProcessor();
  const encoded = Model.encode(file as unknown as protobuf.Message).finish();
  await native.loadFromB64StringModel(Buffer.from(encoded).toString('base64'));

  const idOf = (piece: string): number => {
    const text = new native.sentencepiece.StringView(piece);
    const view = text.getView();
    const id = native.processor.PieceToId(view);
    view.delete();
    text.delete();
    return id;
  };
  const trainer = Trainer.decode(file.trainerSpec ?? new Uint8Array()) as unknown as Record<string, string>;
  /** A token counts only as what it was trained to be: one that became user-defined is text. */
  const special = (name: string | undefined, fallback: string, type: number): number => {
    const id = idOf(name || fallback);
    return file.pieces[id]?.type === type ? id : -1;
  };
  const unknown = special(trainer.unkPiece, '<unk>', kinds.unknown);
  const [bos, eos, pad] = [
    special(trainer.bosPiece, '<s>', kinds.control),
    special(trainer.eosPiece, '</s>', kinds.control),
    special(trainer.padPiece, '<pad>', kinds.control),
  ];
  return {
    encode: (text, options = {}) => [
      ...(options.bos ? [bos] : []),
      ...native.encodeIds(text),
      ...(options.eos ? [eos] : []),
    ],
    decode: (ids, { stopAtEos = true } = {}) => {
      const end = stopAtEos ? ids.indexOf(eos) : -1;
      return native.decodeIds(Int32Array.from(end < 0 ? ids : ids.slice(0, end))) as string;
    },
    idOf,
    size: file.pieces.length,
    bos,
    eos,
    pad,
    unknown,
  };
}
