"""A case of kind `train` of the original's trainer for PaliGemma: the image tower is frozen, words are smoothed."""

import importlib
import os
import tempfile
import types

import common as c
import make_paligemma as small  # Adds a variant of Gemma of its size.
import big_vision.utils as u
import jax
import ml_collections as mlc
import numpy as np
import tensorflow as tf

jax.distributed.initialize = lambda *a, **k: None
train = importlib.import_module("big_vision.trainers.proj.paligemma.train")
jax.config.update("jax_transfer_guard", "allow")  # The trainer forbids what its stand-ins do here.

STEPS, BATCH, LENGTH, VOCAB = 6, 8, 7, 11
LLM = dict(scan=True, remat_policy="nothing_saveable", dropout=0.1)
COSINE = dict(decay_type="cosine", warmup_percent=0.3)
CONFIG = dict(
    seed=3, total_steps=STEPS, input=dict(batch_size=BATCH), optax_name="scale_by_adam", optax=dict(b2=0.95), lr=0.003,
    wd=0.0001, grad_clip_norm=1.0, schedule=[["img/.*", None], ["llm/.*", COSINE]],
    model_name="proj.paligemma.paligemma")


def batches():
  rng = np.random.default_rng(0)
  prefix, end = rng.integers(1, 4, (STEPS, BATCH, 1)), rng.integers(4, LENGTH + 1, (STEPS, BATCH, 1))
  place = np.arange(LENGTH)
  return dict(
      image=(rng.integers(-2, 3, (STEPS, BATCH, 4, 4, 3)) / 2).astype(np.float32),
      text=np.where(place < end, rng.integers(1, VOCAB, (STEPS, BATCH, LENGTH)), 0).astype(np.int32),
      mask_ar=(place >= prefix).astype(np.int32),
      mask_loss=((place >= prefix) & (place < end)).astype(np.int32))


class Recorder(u.BigVisionMetricWriter):
  """Keeps what is measured."""

  rows = {}

  def measure(self, name, value):
    value = super().measure(name, value)
    self.rows.setdefault(self.step, {})[name] = value
    return value


def run(config, data):
  spec = {k: tf.TensorSpec(v.shape[1:], v.dtype) for k, v in data.items()}
  train.input_pipeline = types.SimpleNamespace(
      training=lambda _: (types.SimpleNamespace(element_spec=spec), STEPS * BATCH),
      start_global=lambda *a, **k: iter([jax.device_put({k: v[i] for k, v in data.items()}) for i in range(STEPS)]))
  u.sync = lambda: None
  u.chrono = u.Chrono()
  u.BigVisionMetricWriter = Recorder
  with tempfile.TemporaryDirectory() as workdir:
    train.flags = types.SimpleNamespace(FLAGS=types.SimpleNamespace(
        config=mlc.ConfigDict(config), workdir=workdir, cleanup=False))
    train.main(None)
    ckpt = u.load_checkpoint_ts(os.path.join(workdir, "checkpoint.bv"))
  return jax.device_get(ckpt["params"])


if __name__ == "__main__":
  data = batches()
  given = dict(
      CONFIG, label_smoothing=0.1, log_training_steps=1, ckpt_steps=STEPS, pp_modules=[],
      input=dict(batch_size=BATCH, data=dict(name="fixed")), evals={},
      model=dict(img=small.IMG, llm=dict(LLM, variant="tiny")))
  params = run(given, data)
  keys = ["training_loss", "l2_grads", "l2_params", "l2_updates", "avg_sup_seqlen", "max_sup_seqlen", "global_schedule"]
  keys = [k for k in keys if k in Recorder.rows[1]]
  outputs = {k: np.array([Recorder.rows[s][k] for s in range(1, STEPS + 1)], np.float32) for k in keys}
  print({k: v.tolist() for k, v in outputs.items()})
  outputs.update({k: v for k, v in c.flat(params["llm"], "params/llm/").items()})
  c.save_case(
      "train_paligemma", kind="train", name="trainers/proj/paligemma/train",
      args=dict(config=dict(
          CONFIG, paligemma=dict(label_smoothing=0.1),
          model=dict(img=small.IMG, llm_model="ppp.gemma", llm=dict(small.SIZES, **LLM)))),
      inputs=data, outputs=outputs, atol=1e-5, rtol=1e-4, note="Measurements of six steps, and the language model after them.")
