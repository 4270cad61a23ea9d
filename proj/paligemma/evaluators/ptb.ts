// Words of captions as COCO's evaluation takes them: Penn Treebank tokens in lower case, without punctuation. It runs
// Stanford's tokenizer (Java); these are its rules as far as captions have need of them.

const dropped = new Set([..."'`.?!,:;-", "''", '``', '--', '...']);

/** Words that are two. */
const parts: Readonly<Record<string, string>> = {
  cannot: 'can not',
  gonna: 'gon na',
  gotta: 'got ta',
  wanna: 'wan na',
  gimme: 'gim me',
  lemme: 'lem me',
  "'twas": "'t was",
  "'tis": "'t is",
};

const brackets: Readonly<Record<string, string>> = {
  '(': '-lrb-',
  ')': '-rrb-',
  '[': '-lsb-',
  ']': '-rsb-',
  '{': '-lcb-',
  '}': '-rcb-',
};

/** Their full stop belongs to them. */
const abbreviations =
  'mr|mrs|ms|dr|st|jr|sr|vs|etc|no|co|inc|ltd|corp|ave|blvd|mt|ft|gen|col|sgt|capt|lt|prof|rev|hon|gov|sen|rep';

const letters = String.raw`[\p{L}\p{M}\p{N}_]`;
/** What apostrophes begin, as parts of words. */
const clitics = '(?:s|m|d|ll|re|ve)';
const typographic = new RegExp(String.raw`\u2019(?=${clitics}(?!${letters}))`, 'gu');

const token = new RegExp(
  [
    String.raw`https?://\S+`,
    String.raw`(?:\p{L}\.){2,}`,
    String.raw`(?:${abbreviations})\.`,
    // With a sign, and with what dates, times and fractions have in between.
    String.raw`(?<![\p{L}\p{N}])[+-]?\p{N}+(?:[.,:/-]\p{N}+)*(?!${letters})`,
    String.raw`n't(?!${letters})`,
    String.raw`'(?:${clitics}|em|twas|tis)(?!${letters})`,
    String.raw`'n'`,
    // A word ends before "n't" and before what an apostrophe begins, and goes on after other apostrophes.
    String.raw`@?(?:(?!n't(?!${letters}))${letters})+(?:(?:[-&@./_]|(?!'${clitics}(?!${letters}))(?!'n')['\u2019])${letters}+)*`,
    String.raw`\.{2,}|-{2,}|[!?]{2,}`,
    String.raw`\S`,
  ].join('|'),
  'gu',
);

export function captionWords(caption: string): string[] {
  const plain = caption
    .toLowerCase()
    .replace(/[\u201c\u201d"\u2013\u2014\ufffd]/g, ' ')
    .replace(typographic, "'");
  return [...plain.matchAll(token)]
    .flatMap(([word]) => (parts[word] ?? brackets[word] ?? word).split(' '))
    .filter((word) => !dropped.has(word));
}
