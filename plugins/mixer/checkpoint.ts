// Parameters of a Mixer from a file, also from those that the paper released.

import { HostArray } from '../../core/array';
import { loadErrors, loadParams, mergeParams } from '../../core/checkpoint/load-params';
import type { ParamArrays } from '../../core/extensions';
import { convertPreLinen } from '../layers';

/** Short names of the paper's checkpoints. */
const released: Readonly<Record<string, string>> = {
  'B-i1k/16': 'gs://mixer_models/imagenet1k/Mixer-B_16.npz',
  'L-i1k/16': 'gs://mixer_models/imagenet1k/Mixer-L_16.npz',
  'B-i21k/16': 'gs://mixer_models/imagenet21k/Mixer-B_16.npz',
  'L-i21k/16': 'gs://mixer_models/imagenet21k/Mixer-L_16.npz',
};

/** Names that match a pattern of `dont_load` keep their initial values. */
export async function loadMixer(
  init: ParamArrays,
  file: string,
  dont_load?: readonly string[],
): Promise<ParamArrays> {
  const path = released[file];
  if (path !== undefined) throw loadErrors.bucket({ path });
  return mergeParams(fixOldMixer(await loadParams(file)), init, dont_load);
}

/** The released files have their blocks under `Mixer`, and kernels and biases of an MLP beside each other. */
export function fixOldMixer(loaded: ParamArrays): ParamArrays {
  const params = convertPreLinen(loaded);
  if (!('Mixer' in params)) return params;
  const { Mixer, embedding, ...rest } = params;
  const { encoder_norm, ...blocks } = Mixer as ParamArrays;
  const renamed = Object.entries(blocks).map(([name, block]) => {
    const { token_mixing_phase_0, channel_mixing_phase_0, ...norms } = block as ParamArrays;
    const mixing = {
      token_mixing: nestMlp(token_mixing_phase_0 as ParamArrays),
      channel_mixing: nestMlp(channel_mixing_phase_0 as ParamArrays),
    };
    return [name.replace(/^encoderblock_/, 'MixerBlock_'), { ...norms, ...mixing }] as const;
  });
  return {
    ...rest,
    ...Object.fromEntries(renamed),
    stem: embedding as ParamArrays,
    pre_head_layer_norm: encoder_norm as ParamArrays,
  };
}

function nestMlp(flat: ParamArrays): ParamArrays {
  const layer = (i: number) => ({
    bias: squeeze(flat[`bias${i}`] as HostArray),
    kernel: squeeze(flat[`kernel${i}`] as HostArray),
  });
  return { Dense_0: layer(1), Dense_1: layer(2) };
}

const squeeze = ({ dtype, shape, data }: HostArray) =>
  new HostArray(
    dtype,
    shape.filter((dim) => dim !== 1),
    data,
  );
