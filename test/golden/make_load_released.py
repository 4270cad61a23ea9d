# Copyright 2026 the project's authors. Licensed under the Apache License, Version 2.0.
"""Cases of kind `model`, names `bit_paper:load`, `bit:load` and `mlp_mixer:load`: files in the layouts that were released.

Beside the three usual files such a case has `checkpoint.npz`, written by numpy under the names of the released files. Values
are few and small, so that they deflate, and tell the arrays apart. Outputs: all loaded parameters; inputs: the initial ones
(zeros, given by their shapes alone in `args`).
"""

import common as c
from big_vision.models import bit
from big_vision.models import bit_paper
from big_vision.models import mlp_mixer
import flax
import jax
import numpy as np

MODULES = {"bit": bit, "bit_paper": bit_paper, "mlp_mixer": mlp_mixer}


def pattern(shape, i):
  return (i + np.arange(np.prod(shape, dtype=int)) % 5 / 8).reshape(shape).astype(np.float32)


def record(label, name, args, image_shape, layout, note, dont_load=()):
  """`layout` maps the name and value of each parameter to its name and value in the file."""
  module = MODULES[name]
  model = module.Model(**args)
  shapes = jax.eval_shape(model.init, jax.random.PRNGKey(0), np.zeros(image_shape, np.float32))["params"]
  init = jax.tree.map(lambda x: np.zeros(x.shape, x.dtype), flax.core.unfreeze(shapes))
  params = {k: pattern(v.shape, i) for i, (k, v) in enumerate(c.flat(init).items())}
  file = dict(layout(k, v) for k, v in params.items())
  case = dict(kind="model", name=f"{name}:load", note=note,
              args=dict(shapes={k: list(v.shape) for k, v in params.items()}, init_file="checkpoint.npz",
                        model=args, dont_load=list(dont_load)))
  path = c.save_case(f"released_{label}", outputs={}, **case)
  np.savez_compressed(path / "checkpoint.npz", **file)
  data = (path / "checkpoint.npz").read_bytes()
  loaded = module.load(init, str(path / "checkpoint.npz"), args, dont_load)
  path = c.save_case(f"released_{label}", outputs=c.flat(jax.device_get(loaded), "params/"), **case)
  (path / "checkpoint.npz").write_bytes(data)


def big_transfer(numbered):
  """github.com/google-research/big_transfer: BiT-M-R50x1.npz and the like."""
  conv = "standardized_conv2d_7" if numbered else "standardized_conv2d"

  def layout(name, value):
    parts = name.split("/")
    if name == "root_block/conv_root/kernel":
      return "resnet/root_block/standardized_conv2d/kernel", value
    if parts[0] == "head":
      return f"resnet/head/conv2d/{parts[1]}", value[None, None] if parts[1] == "kernel" else value
    norm = {"scale": "gamma", "bias": "beta"}
    if parts[0] == "norm-pre-head":
      return f"resnet/group_norm/{norm[parts[1]]}", value.ravel()
    block, unit, module, part = parts
    if module == "conv_proj":
      return f"resnet/{block}/{unit}/a/proj/{conv}/kernel", value
    group = "abc"[int(module[-1]) - 1]
    if module.startswith("gn"):
      return f"resnet/{block}/{unit}/{group}/group_norm/{norm[part]}", value.ravel()
    return f"resnet/{block}/{unit}/{group}/{conv}/kernel", value

  return layout


def mixer_paper(name, value):
  """gs://mixer_models: kernels and biases of an MLP beside each other, blocks under Mixer."""
  parts = name.split("/")
  if parts[0] == "stem":
    return f"embedding/{parts[1]}", value
  if parts[0] == "pre_head_layer_norm":
    return f"Mixer/encoder_norm/{parts[1]}", value
  if not parts[0].startswith("MixerBlock_"):
    return name, value
  block = f"Mixer/encoderblock_{parts[0][len('MixerBlock_'):]}"
  if not parts[1].endswith("_mixing"):
    return f"{block}/{'/'.join(parts[1:])}", value
  number = int(parts[2][-1]) + 1
  return f"{block}/{parts[1]}_phase_0/{parts[3]}{number}", value[None] if parts[3] == "bias" else value


def old_norms(name, value):
  """Before norms were squeezed."""
  return name, value[None, None, None] if "/gn" in name else value


def main():
  c.clear("released_")
  paper = dict(num_classes=3, width=0.5, depth=[1])
  mixer = dict(num_classes=3, patch_size=[4, 4], num_blocks=2, hidden_dim=6, tokens_mlp_dim=5, channels_mlp_dim=7)
  record("bit_paper", "bit_paper", paper, (1, 32, 32, 3), big_transfer(False), "Big Transfer's own names.")
  record("bit_paper_numbered", "bit_paper", paper, (1, 32, 32, 3), big_transfer(True),
         "some files number their convolutions.", dont_load=["head/.*"])
  record("mixer", "mlp_mixer", mixer, (1, 8, 8, 3), mixer_paper, "the paper's names.")
  record("mixer_dont_load", "mlp_mixer", mixer, (1, 8, 8, 3), mixer_paper, "the head stays.", dont_load=["head/.*"])
  record("bit", "bit", dict(num_classes=3, width=0.5, depth=[1]), (1, 32, 32, 3), old_norms,
         "norms as [1, 1, 1, channels].")


if __name__ == "__main__":
  main()
