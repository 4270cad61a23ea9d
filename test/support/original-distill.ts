// The original's trainer for distillation has keys of its own; here the student is the model, and the teachers a project's.

type Tree = { [key: string]: unknown };

/** What is mixed: with the labels the images, of which a model may have one of its own. */
const mixed = (names: readonly string[], pp: unknown) => [
  'image',
  ...names.filter((name) => String(pp).includes(`"${name}"`)),
  'labels',
];

/** A config of that trainer with our keys. Others come back as they are. */
export function distillAsOurs(config: Tree): Tree {
  const { student_name, student, student_init, teachers, distance, distance_kw, ...rest } = config;
  if (student_name === undefined) return config;
  const names = teachers as string[];
  const ofTeachers = names.flatMap((name) => [name, `${name}_name`, `${name}_init`]);
  const stock = Object.entries(rest).filter(([key]) => !ofTeachers.includes(key));
  const keys = mixed(names, (rest.input as Tree).pp);
  const own = names.map((name) => [
    name,
    { model_name: rest[`${name}_name`], model: rest[name], model_init: rest[`${name}_init`] },
  ]);
  return {
    ...Object.fromEntries(stock),
    model_name: student_name,
    model: student,
    ...(student_init !== undefined && { model_init: student_init }),
    ...(keys.length > 2 && { mixup: { ...(rest.mixup as Tree), keys } }),
    distill: { teachers: Object.fromEntries(own) as Tree, distance, distance_kw },
  };
}
