"""Cases of kind `train`: the original's train.py itself, run for a few steps on fixed batches.

Only the input pipeline is replaced. Everything is on one CPU device. The parameters start from
the configuration's seed, so that a run can be compared from the seed alone.
"""

import collections
import os
import sys
import tempfile
import types

import common as c
import big_vision.train as bv_train
import big_vision.utils as u
import jax
import ml_collections as mlc
import numpy as np
import tensorflow as tf

BATCH, CLASSES = 16, 10
MODEL = dict(variant="mu", patch_size=[7, 7])
ADAM = dict(grad_clip_norm=1.0, optax_name="scale_by_adam", lr=0.001, wd=0.0001,
            schedule=dict(warmup_steps=4, decay_type="cosine"))

CASES = {
    "softmax": (20, dict(
        ADAM, loss="softmax_xent", optax=dict(mu_dtype="bfloat16"),
        model=dict(MODEL, rep_size=True, pool_type="gap", posemb="sincos2d")),
                "the recipe of vit_s16_i1k without mixup."),
    "softmax_f32": (20, dict(
        ADAM, lr=0.003, loss="softmax_xent", model=dict(MODEL, rep_size=True, pool_type="gap", posemb="sincos2d")),
                    "the same with float32 moments and three times the rate."),
    "sigmoid_mixup": (20, dict(
        ADAM, loss="sigmoid_xent", mixup=dict(p=0.2), init_head_bias=-6.9, model=dict(MODEL, pool_type="map", width=16, mlp_dim=32)),
                      "sigmoid_xent, mixup p=0.2, head bias -6.9, MAP head."),
    "dropout": (20, dict(ADAM, loss="softmax_xent", seed=7, model=dict(MODEL, pool_type="tok", dropout=0.1, width=16, mlp_dim=64)),
                "dropout 0.1, class token, seed 7."),
    "scan_dropout": (6, dict(
        ADAM, loss="softmax_xent", mixup=dict(p=0.5),
        model=dict(MODEL, pool_type="gap", dropout=0.2, scan=True, depth=2, width=16, mlp_dim=32)),
                     "scanned blocks, dropout 0.2 and mixup together."),
    "frozen": (6, dict(
        ADAM, loss="softmax_xent", wd=0.1, lr_mults=[["head/.*", 2.0]],
        schedule=[["embedding/.*", None], ["head/.*", dict(decay_type="linear")],
                  [".*", dict(warmup_steps=2, decay_type="cosine")]],
        model=dict(MODEL, pool_type="gap", width=16, mlp_dim=32)),
               "frozen embedding: not in l2_grads, not clipped, not decayed; two schedules."),
}


def make_data(steps, seed=0):
  """Shapes of ten classes with noise; pixels are -1, -.5, 0, .5 or 1, so nothing is rounded."""
  rng = np.random.default_rng(seed)
  coarse = rng.standard_normal((CLASSES, 7, 7))
  shapes = np.kron(coarse > 0.4, np.ones((4, 4)))
  labels = rng.integers(0, CLASSES, (steps, BATCH))
  image = 4.0 * shapes[labels]
  flip = rng.random(image.shape) < 0.06
  image = np.where(flip, rng.integers(0, 5, image.shape), image) / 2 - 1
  return image[..., None].astype(np.float32), np.eye(CLASSES, dtype=np.float32)[labels]


class Recorder(u.BigVisionMetricWriter):
  """Keeps what is measured. (In the file, the step of a row can be that of the next one: it is read too late.)"""

  rows = collections.defaultdict(dict)

  def measure(self, name, value):
    value = super().measure(name, value)
    self.rows[self.step][name] = value
    return value


def run(config, image, labels):
  """Runs train.main, returns its metrics by step and the final parameters."""
  spec = dict(image=tf.TensorSpec(image.shape[1:], tf.float32), labels=tf.TensorSpec(labels.shape[1:], labels.dtype))
  bv_train.input_pipeline = types.SimpleNamespace(
      training=lambda _: (types.SimpleNamespace(element_spec=spec), len(image) * BATCH),
      start_global=lambda *a: iter([jax.device_put(dict(image=i, labels=l)) for i, l in zip(image, labels)]))
  u.sync = lambda: None  # Uses a class that JAX no longer has; one process needs no sync.
  u.chrono = u.Chrono()
  u.BigVisionMetricWriter = Recorder
  Recorder.rows.clear()
  with tempfile.TemporaryDirectory() as workdir:
    bv_train.flags = types.SimpleNamespace(FLAGS=types.SimpleNamespace(
        config=mlc.ConfigDict(config), workdir=workdir, cleanup=False))
    bv_train.main(None)
    ckpt = u.load_checkpoint_ts(os.path.join(workdir, "checkpoint.bv"))
  return dict(Recorder.rows), jax.device_get(ckpt["params"])


def save(case, name, config, image, labels, note, atol=1e-5, rtol=1e-4, given=None):
  """Runs a config (`given` in its place, if it isn't plain data) and saves the case."""
  steps = config["total_steps"]
  rows, params = run(given or config, image, labels)
  keys = ["training_loss", "l2_grads", "l2_params", "l2_updates"]
  keys += [k for k in rows[1] if k.startswith("global_schedule")]
  outputs = {k: np.array([rows[s][k] for s in range(1, steps + 1)], np.float32) for k in keys}
  outputs["num_params"] = np.int32(rows[0]["num_params"])
  # The gradient of attention key biases is rounding noise, which Adam scales up to the size of any other.
  outputs.update({k: v for k, v in c.flat(params, "params/").items() if not k.endswith("/key/bias")})
  config = {k: v for k, v in config.items() if k not in ("ckpt_steps", "log_training_steps", "pp_modules")}
  c.save_case(
      case, kind="train", name=name, args=dict(config=config), inputs=dict(image=image, labels=labels),
      outputs=outputs, atol=atol, rtol=rtol, tolerances=dict(num_params=dict(atol=0, rtol=0)), note=note)
  print({k: v[:3].tolist() + v[-2:].tolist() for k, v in outputs.items() if k in keys})


def main():
  only = sys.argv[1:]
  for label, (steps, config, note) in CASES.items():
    if only and label not in only:
      continue
    config = {"seed": 0, "total_steps": steps, "num_classes": CLASSES, "model_name": "vit", "optax": {},
              "input": dict(batch_size=BATCH), "log_training_steps": 1, "ckpt_steps": steps, "pp_modules": [], **config}
    image, labels = make_data(steps)
    bf16 = "mu_dtype" in config["optax"]
    save(
        f"train_vit_{label}", "train", config, image, labels,
        note + " Inputs have a leading axis of steps. Outputs: the measurements of every step and the final "
        "params/<path> (without attention key biases, whose gradient is rounding noise). The parameters start "
        "from the seed.", atol=5e-5 if bf16 else 1e-5, rtol=2e-4 if bf16 else 1e-4)


if __name__ == "__main__":
  main()
