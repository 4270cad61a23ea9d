// Evaluations on OpenMoji: pictures against what they are called, and against the names of their groups.

export function openmojiEvals(options: {
  readonly pp_img: string;
  /** From "texts" to "labels". */
  readonly pp_txt: string;
  readonly log_epochs: number;
}) {
  const common = { ...options, skip_first: true };
  return {
    retrieval: {
      type: 'proj.image_text.retrieval',
      dataset: 'openmoji',
      txt_name: ['captions', 'text'],
      ...common,
    },
    group: {
      type: 'proj.image_text.discriminative_classifier',
      dataset_names: ['openmoji'],
      prompt_templates: ['{}'],
      ...common,
    },
  };
}
