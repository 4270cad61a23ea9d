// Names of classes and templates of prompts for zero-shot classification (arXiv:2103.00020).

import { catalogue } from '../../../core/errors';
import { didYouMean } from '../../../core/suggest';
import { classNames as listedNames } from '../../../plugins/pp';
import data from './clip-names.json';

const errors = catalogue('zeroshot', {
  unknownTemplates: (v: { name: string; known: readonly string[] }) => ({
    what: `There are no prompt templates "${v.name}".${didYouMean(v.name, v.known)}`,
    fix: `one of: ${v.known.join(', ')}; or a list of templates, each with one {}.`,
  }),
  unknownNames: (v: { dataset: string; source: string; known: readonly string[] }) => ({
    what: `There are no class names of "${v.dataset}" from "${v.source}".${didYouMean(v.dataset, v.known)}`,
    fix: `class_names="clip" for one of: ${v.known.join(', ')}; "dataset_info" where the data source has names; or a list.`,
  }),
});

const imagenet = listedNames('clip_i1k');
const some = (indices: readonly number[]) => indices.map((i) => imagenet[i] as string);

/** By data set, the names that CLIP was evaluated with. */
const clipNames: Readonly<Record<string, readonly string[]>> = {
  imagenet2012: imagenet,
  'grand-vision:imagenet2012': imagenet,
  imagenet_a: some(data.imagenet_a),
  imagenet_r: some(data.imagenet_r),
  imagenet_v2: imagenet,
};

const asciiPunctuation = /[!-/:-@[-`{-~]/g;
// Python's white space: JavaScript's lacks some separators, and has the byte order mark.
// eslint-disable-next-line no-control-regex -- see above
const whiteSpace = /(?:[^\S\ufeff]|[\u001c-\u001f\u0085])+/g;

/**
 * Lower case, one space between words, no ASCII punctuation; underscores are spaces. `keep`: this exact text stays, such
 * as "{}", though its characters alone don't.
 */
export function canonicalizeText(text: string, keep?: string | null): string {
  const strip = (part: string) => part.replace(asciiPunctuation, '');
  const spaced = text.replaceAll('_', ' ');
  const kept = keep ? spaced.split(keep).map(strip).join(keep) : strip(spaced);
  return kept.toLowerCase().replace(whiteSpace, ' ').replace(/^ | $/g, '');
}

/** One or more names of each class, those of one class separated by commas. `source`: "clip", or the names. */
export function classNames(
  dataset: string,
  source: string | readonly string[],
  canonicalize = true,
): string[] {
  let names = source as readonly string[];
  if (typeof source === 'string') {
    const found = source === 'clip' && Object.hasOwn(clipNames, dataset) ? clipNames[dataset] : undefined;
    if (!found) throw errors.unknownNames({ dataset, source, known: Object.keys(clipNames) });
    names = found;
  }
  return canonicalize ? names.map((name) => canonicalizeText(name, ',')) : [...names];
}

/** Templates with {} where a name belongs. `source`: class_name_only, clip_paper, clip_best, or the templates. */
export function promptTemplates(source: string | readonly string[], canonicalize = true): string[] {
  const known: Readonly<Record<string, readonly string[]>> = data.templates;
  if (typeof source === 'string' && !Object.hasOwn(known, source))
    throw errors.unknownTemplates({ name: source, known: Object.keys(known) });
  const templates = typeof source === 'string' ? (known[source] as readonly string[]) : source;
  return canonicalize ? templates.map((template) => canonicalizeText(template, '{}')) : [...templates];
}

export interface Prompt {
  /** The class. */
  readonly label: number;
  readonly texts: string;
}

/** Every template for every name of every class. @throws Error where a template doesn't have {} once */
export function promptsOf(names: readonly string[], templates: readonly string[]): Prompt[] {
  return names.flatMap((aliases, label) =>
    aliases.split(',').flatMap((alias) =>
      templates.map((template) => {
        const [before, after, more] = template.split('{}');
        if (after === undefined || more !== undefined)
          throw new Error(`The prompt template "${template}" doesn't have {} exactly once`);
        return { label, texts: `${before}${alias}${after}` };
      }),
    ),
  );
}
