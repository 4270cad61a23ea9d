// The original's configs of UViM against its trees (test/golden/make_uvim_configs.py).

import { configOf, testOriginalConfigs, type Tree } from '../../support/original-configs';

const without = (tree: Tree, ...keys: string[]) =>
  Object.fromEntries(Object.entries(tree).filter(([key]) => !keys.includes(key)));

/** proj.uvim.depth_task is "depth" here. */
const taskOf = ({ task }: Tree) => String(task).replace(/^proj\.uvim\.(\w+)_task$/, '$1');

/** Evaluators take `data` as all do here; theirs get decoded images from TFDS, and here they are files. */
function evaluatorAsOurs({ dataset, split, pp_fn, ...rest }: Tree): Tree {
  if (rest['type'] === 'proj.uvim.compute_mean') return { ...rest, pp_fn };
  const usual = { 'proj.uvim.psnr': 'imagenet2012', 'proj.uvim.coco_panoptic': 'coco/2017_panoptic' };
  const name = dataset ?? usual[rest['type'] as keyof typeof usual];
  return { ...rest, pp_fn: `decode|${String(pp_fn)}`, data: { name, split } };
}

/** What the original's two trainers of UViM read is in the plugin's key; what steers its input pipeline is nowhere. */
function asOurs(tree: Tree): Tree {
  const { num_epochs, oracle } = tree as { num_epochs?: number; oracle?: Tree };
  const { shuffle_buffer_size: _, ...input } = tree['input'] as Tree;
  const evals = Object.entries(tree['evals'] as Record<string, Tree>)
    // FID isn't implemented.
    .filter(([, { type }]) => type !== 'proj.uvim.coltran_fid')
    .map(([key, evaluator]) => [key, evaluatorAsOurs(evaluator)]);
  const stage1 = ['task', 'min_depth', 'max_depth', 'freeze_dict', 'w_commitment'];
  const uvim = oracle
    ? { stage: 2, oracle: { ...oracle, task: taskOf(oracle) } }
    : { stage: 1, ...without(tree, ...Object.keys(tree).filter((key) => !stage1.includes(key))), task: taskOf(tree) }; // prettier-ignore
  return {
    ...without(tree, 'prefetch_to_device', 'num_epochs', 'oracle', ...stage1),
    // The original means this by num_epochs, which it doesn't read.
    ...(num_epochs !== undefined && { total_epochs: num_epochs }),
    input,
    evals: Object.fromEntries(evals),
    uvim,
  };
}

testOriginalConfigs('uvim_configs.json', 'configs/proj/uvim', asOurs);

it.each(['shapes_panoptic', 'shapes_depth', 'openmoji_color'])(
  '%s has two stages that agree on the code',
  async (task) => {
    const [first, second] = await Promise.all(
      [1, 2].map((stage) => configOf(`configs/proj/uvim/${task}_stage${stage}.ts`)),
    );
    const { oracle } = second!['uvim'] as { oracle: { model: Tree } };
    const { dict_momentum: _, ...model } = first!.model as Tree;
    expect(oracle.model).toEqual(model);
  },
);
