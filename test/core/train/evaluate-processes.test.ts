// Evaluation by several real processes: each reads its own rows of every batch, and all have the metrics of one process. Their
// devices are stood in for, as in processes.test.ts.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { installed } from '../../../plugins/xla/install';
import { freeAddress, startBv } from '../../support/processes';
import { temporaryFolder } from '../../support/temporary';

const root = path.join(__dirname, '..', '..', '..');
const workspace = temporaryFolder();
const fixtures = path.join(root, 'test', 'fixtures', 'plugins');
fs.writeFileSync(
  path.join(workspace, 'package.json'),
  JSON.stringify({
    name: 'for-tests',
    bv: { plugins: [path.join(fixtures, 'stand-in'), path.join(fixtures, 'counted')] },
  }),
);

/** Each evaluator has splits of its own, so that its reads are known. */
function configWith(folder: string): object {
  const data = (split: string) => ({ name: 'counted', split, data_dir: folder });
  const labels = "onehot(3, key='label')|keep('image', 'label')";
  return {
    input: { data: data('train'), pp: "keep('image', 'label')", batch_size: 8 },
    total_steps: 1,
    model_name: 'pair',
    optax_name: 'scale_by_adam',
    lr: 0.1,
    counted: { folder },
    evals: {
      classification: { data: data('classes'), pp_fn: labels, label_key: 'label', loss_name: 'softmax_xent' },
      save: { data: data('saved'), pp_fn: "keep('image', 'label')", outfile: path.join(folder, 'saved.npz') },
      contrastive: {
        type: 'proj.image_text.contrastive',
        data: data('pairs'),
        pp_fn: "words(inkey='captions')|keep('image', 'labels')",
      },
      fewshot: {
        type: 'fewshot_lsr',
        datasets: { counted: ['counted', 'few', 'fewtest'] },
        data_dir: folder,
        shots: [1, 3],
        l2_reg: 1024,
        pp_train: "keep('image', 'label')",
        pp_eval: "keep('image', 'label')",
      },
      zeroshot: {
        type: 'proj.image_text.discriminative_classifier',
        dataset_names: ['counted'],
        split: 'zeroshot',
        data_dir: folder,
        prompt_templates: ['{}'],
        pp_img: '',
        pp_txt: 'words',
      },
      retrieval: {
        type: 'proj.image_text.retrieval',
        dataset: 'counted',
        split: 'retrieval',
        data_dir: folder,
        txt_name: 'captions',
        pp_img: '',
        pp_txt: 'words',
      },
    },
  };
}

interface Evaluated {
  /** Of each process. */
  readonly metrics: readonly object[];
  readonly saved: Buffer;
  /** How often each example of a split was read, over all processes. */
  reads(split: string): number[];
}

async function evaluate(count: number): Promise<Evaluated> {
  const folder = temporaryFolder();
  const config = path.join(folder, 'config.json');
  fs.writeFileSync(config, JSON.stringify(configWith(folder)));
  const args = ['eval', '--config', config, '--runtime', 'stand-in', '--devices', '4'];
  const coordinator = await freeAddress();
  const ended = await Promise.all(
    Array.from({ length: count }, (_, index) => {
      const place = ['--processes', `${count}`, '--process', `${index}`, '--coordinator', coordinator];
      return startBv([...args, ...(count > 1 ? place : [])], workspace).ended;
    }),
  );
  for (const { code, stderr } of ended) expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const read = (name: string) => fs.readFileSync(path.join(folder, name), 'utf8');
  return {
    metrics: ended.map((_, index) => JSON.parse(read(`metrics-${index}.json`)) as object),
    saved: fs.readFileSync(path.join(folder, 'saved.npz')),
    reads(split) {
      const times = new Array<number>(21).fill(0);
      for (const line of read(`reads-${split}`).trim().split('\n')) times[Number(line)]! += 1;
      return times;
    },
  };
}

(installed('cpu') ? test : test.skip)(
  'three processes have the metrics of one, and read each example once',
  async () => {
    const one = await evaluate(1);
    expect(Object.keys(one.metrics[0]!)).toEqual(
      expect.arrayContaining([
        'classification/prec@1',
        'contrastive/loss',
        'fewshot/z/counted_3shot-seed-0',
        'zeroshot/counted_accuracy',
        'retrieval/txt2img_recall@5',
      ]),
    );
    const three = await evaluate(3);
    // Of four devices the processes have two, one and one: of the last 5 examples 4, 1 and none.
    expect(three.metrics).toEqual([one.metrics[0], one.metrics[0], one.metrics[0]]);
    expect(three.saved.equals(one.saved)).toBe(true);
    // Without the first, which every process looks at for the shapes.
    const once = new Array<number>(20).fill(1);
    for (const split of ['classes', 'saved', 'pairs', 'few', 'fewtest', 'zeroshot'])
      for (const { reads } of [one, three]) expect([split, reads(split).slice(1)]).toEqual([split, once]);
  },
);
