"""Loads a checkpoint that we wrote into the original and compares logits.

  ORIGINAL=path/to/big_vision python check_load_in_original.py --checkpoint ckpt.npz \\
      --model vit --config '{"variant": "mu/16", "num_classes": 10}' --inputs inputs.npz --outputs outputs.npz

`inputs.npz` holds `image`, `outputs.npz` holds our `logits` for it. A subtree of the checkpoint can
follow a colon (ckpt.npz:img). Exits with 1 where the logits differ.
"""

import argparse
import importlib
import json
import os
import sys

import common as c
import jax
import numpy as np


def main():
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("--checkpoint", required=True)
  parser.add_argument("--model", default="vit", help="path under the original's models/, with dots")
  parser.add_argument("--config", default="{}", help="constructor arguments as JSON")
  parser.add_argument("--inputs", required=True)
  parser.add_argument("--outputs", required=True)
  parser.add_argument("--input", default="image", help="its key in the inputs file")
  parser.add_argument("--output", default="logits", help="its key in the outputs file")
  parser.add_argument("--atol", type=float, default=2e-5)
  parser.add_argument("--rtol", type=float, default=1e-4)
  args = parser.parse_args()

  config = json.loads(args.config)
  module = importlib.import_module(f"big_vision.models.{args.model}")
  model = module.Model(**config)
  image = np.load(args.inputs)[args.input]
  want = np.load(args.outputs)[args.output]

  path = args.checkpoint if "/" in args.checkpoint else os.path.join(".", args.checkpoint)
  # The shapes alone: the original must find every parameter, and no other, in the file.
  init = jax.device_get(model.init(jax.random.PRNGKey(0), image)["params"])
  params = module.load(init, path, config)
  wrong = c.u.tree_compare(jax.tree.map(np.asarray, params), init)
  if any(wrong):
    sys.exit(f"Parameters do not fit (only in the file, only in the model, other shape or dtype): {wrong}")
  got = np.asarray(model.apply({"params": params}, image)[0], np.float32)
  diff = np.abs(got - want)
  print(f"{len(c.flat(params))} parameters, largest difference {diff.max():.3g} "
        f"of logits up to {np.abs(want).max():.3g}")
  if got.shape != want.shape or not np.all(diff <= args.atol + args.rtol * np.abs(want)):
    sys.exit("The logits differ.")


if __name__ == "__main__":
  main()
