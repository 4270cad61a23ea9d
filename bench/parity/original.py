"""Trains the config of vit.ts with the original's train.py, on what our run recorded.

  ORIGINAL=path/to/big_vision python original.py RECORDED CONFIG.json WORKDIR [--from-seed]

RECORDED has init.npz (parameters), train.npz (the batches one after the other) and test.npz. WORKDIR gets metrics.json. The trainer, its input pipeline,
its evaluator and its metrics are the original's own; given are a data source that reads these files, and two shims for
the pinned versions of JAX. With --from-seed the parameters are what the original makes from the config's seed.
"""

import collections
import json
import os
import sys
import types

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
sys.path.insert(0, os.environ["ORIGINAL"])

import jax

jax.tree_map = jax.tree.map
sys.modules.setdefault("tensorflow_addons", types.ModuleType("tensorflow_addons"))

import ml_collections
import numpy as np
import tensorflow as tf

from big_vision import train as bv_train
from big_vision import utils as u
from big_vision.datasets import core as ds_core

recorded, config_file, workdir = sys.argv[1:4]


class Recorded(ds_core.DataSource):
  """The examples of a split, in the recorded order."""

  def __init__(self, split):
    with np.load(os.path.join(recorded, f"{split}.npz")) as f:
      self.arrays = {k: f[k] for k in f.files}

  @property
  def total_examples(self):
    return len(self.arrays["image"])

  def num_examples_per_process(self):
    return [self.total_examples]

  def get_tfdata(self, ordered, *, process_split=True, allow_cache=True):
    del ordered, process_split, allow_cache
    return tf.data.Dataset.from_tensor_slices(self.arrays)


class Metrics(u.BigVisionMetricWriter):
  """Keeps what is measured under its step. (The file has some under the next one: it is written too late.)"""

  rows = collections.defaultdict(dict)

  def measure(self, name, value):
    self.rows[self.step][name] = value = super().measure(name, value)
    return value


def main():
  with open(config_file) as f:
    config = json.load(f)
  ds_core.get = lambda name, split: Recorded(split)
  u.BigVisionMetricWriter = Metrics
  u.sync = lambda: None  # Uses a class that JAX no longer has; one process needs no sync.

  # Recorded after preprocessing: what is left is a name. The labels of the test images are still numbers.
  config["input"] = dict(data=dict(name="recorded", split="train"), batch_size=config["input"]["batch_size"],
                         pp="keep('image', 'labels')")
  config["evals"] = {name: dict(
      type="classification", data=dict(name="recorded", split="test"), loss_name=e["loss_name"], log_steps=e["log_steps"],
      pp_fn="value_range(-1, 1)|onehot(10, key='label', key_result='labels')|keep('image', 'labels')")
      for name, e in config["evals"].items()}
  if "--from-seed" not in sys.argv:
    config["model_init"] = os.path.join(recorded, "init.npz")
  bv_train.flags = types.SimpleNamespace(FLAGS=types.SimpleNamespace(
      config=ml_collections.ConfigDict(config), workdir=workdir, cleanup=False))
  bv_train.main(None)
  with open(os.path.join(workdir, "metrics.json"), "w") as f:
    json.dump([dict(step=step, **{k: float(v) for k, v in row.items()}) for step, row in sorted(Metrics.rows.items())], f)


if __name__ == "__main__":
  main()
