# Copyright 2026 the project's authors. Licensed under the Apache License, Version 2.0.
"""Cases of kind `model` for models/mlp_mixer, models/bit and models/bit_paper.

Kernels that start as random numbers aren't recorded: they are those that `call.seed` starts with. What starts as a
constant is perturbed, and recorded.
"""

import common as c
from big_vision.models import bit
from big_vision.models import bit_paper
from big_vision.models import mlp_mixer
import flax
import jax
import numpy as np

MODULES = {"mlp_mixer": mlp_mixer, "bit": bit, "bit_paper": bit_paper}
MIXER = dict(num_classes=3, patch_size=[4, 4], num_blocks=2, hidden_dim=8, tokens_mlp_dim=5, channels_mlp_dim=12)
NARROW = dict(num_classes=3, width=0.5, depth=[1, 1])

# label: (model, constructor arguments, image shape, dropout seed, tolerance, note)
CASES = {
    "mixer": ("mlp_mixer", MIXER, (2, 8, 12, 3), None, (2e-5, 1e-4), "logits and every intermediate."),
    "mixer_same": ("mlp_mixer", dict(MIXER, num_classes=None, patch_size=[4, 3]), (2, 10, 11, 3), None, (2e-5, 1e-4),
                   "SAME padding of an image that is no multiple of the patch, uneven; no head."),
    "mixer_stoch_depth": ("mlp_mixer", dict(MIXER, num_blocks=3, stoch_depth=0.7), (4, 8, 8, 3), 7, (2e-5, 1e-4),
                          "stochastic depth in training: block i is left out with probability 0.7 i / 2."),
    "bit": ("bit", NARROW, (2, 33, 40, 3), None, (2e-4, 1e-3), "odd sizes; stages as a list."),
    "bit_nohead": ("bit", dict(NARROW, num_classes=None, depth=[2]), (1, 16, 16, 1), None, (2e-4, 1e-3),
                   "two units of one stage, one channel, no head."),
    "bit_paper": ("bit_paper", dict(NARROW, head_zeroinit=False), (2, 33, 40, 3), None, (2e-4, 1e-3),
                  "odd sizes and explicit padding."),
    "bit_paper_nohead": ("bit_paper", dict(NARROW, num_classes=None, depth=[2]), (1, 16, 16, 1), None, (2e-4, 1e-3),
                         "two units of one stage, one channel, no head."),
    "mixer_no_blocks": ("mlp_mixer", dict(MIXER, num_blocks=0), (1, 8, 8, 1), None, (2e-5, 1e-4), "no blocks."),
}


def record(label, seed):
  name, args, shape, dropout, (atol, rtol), note = CASES[label]
  model = MODULES[name].Model(**args)
  image = c.normal(seed, shape, 0.5)
  init = c.flat(flax.core.unfreeze(model.init(jax.random.PRNGKey(seed), image)["params"]))
  perturbed = c.flat(c.perturb(c.u.recover_tree(list(init), list(init.values())), seed + 1))
  params = c.u.recover_tree(list(perturbed), list(perturbed.values()))
  recorded = {f"params/{k}": v for k, v in perturbed.items() if not np.array_equal(v, init[k])}
  train = dropout is not None
  rngs = {"dropout": jax.random.PRNGKey(dropout)} if train else {}
  y, out = jax.jit(lambda p, x: model.apply({"params": p}, x, train=train, rngs=rngs))(params, image)
  call = dict(seed=seed, kwargs=dict(train=train))
  if train:
    call["rngs"] = dict(dropout=dropout)
  out = {k: v for k, v in c.flat(jax.device_get(out), "out/").items() if v.size < 4000}
  c.save_case(f"model_{label}", kind="model", name=name, args=args, call=call, inputs={"image": image, **recorded},
              outputs={"output": y, **out}, note=note, atol=atol, rtol=rtol)


if __name__ == "__main__":
  for label in CASES:
    c.clear(f"model_{label}")
  for i, label in enumerate(CASES):
    record(label, 700 + i)
