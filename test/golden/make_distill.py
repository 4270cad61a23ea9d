"""Cases of kind `train` of the original's trainer for distillation, and its evaluator of distances.

Teachers are files in the case's folder: `TEACHER.npz`. Only the input pipeline and the evaluators are replaced.
"""

import sys
import types

import common as c
import jax
import ml_collections as mlc
import numpy as np
import tensorflow as tf

jax.tree_leaves = jax.tree.leaves
jax.tree_structure = jax.tree.structure

import big_vision.trainers.proj.distill.distill as distill  # pylint: disable=wrong-import-position
from big_vision.evaluators.proj.distill import distance as dd  # pylint: disable=wrong-import-position
import big_vision.utils as u  # pylint: disable=wrong-import-position
from big_vision.models import vit  # pylint: disable=wrong-import-position

STEPS, BATCH, CLASSES = 6, 8, 5
SMALL = dict(patch_size=[4, 4], width=8, depth=1, num_heads=2, mlp_dim=16, pool_type="gap", head_zeroinit=False)
TEACHER = dict(SMALL, width=16, mlp_dim=24)
ADAM = dict(grad_clip_norm=1.0, optax_name="scale_by_adam", optax={}, lr=0.003, wd=0.0001,
            schedule=dict(decay_type="cosine", warmup_steps=2))

CASES = {
    "kl": (dict(distance="kl", distance_kw=dict(t=2.0)), {"prof": TEACHER}, {}, "one teacher, which sees the student's image."),
    "two": (dict(distance="logsoftmax_euclidean", distance_kw={}, seed=3), {"prof": TEACHER, "other": SMALL},
            {"prof": (12, 12, 3)}, "two teachers, of which the first has a larger image of its own."),
    "hard": (dict(distance="hard", distance_kw=dict(ls=0.1)), {"prof": TEACHER}, {"student": (8, 8, 3), "labels": None},
             "the teacher's best class; the student has an image of its own, and there are no labels."),
}


class Recorder(u.BigVisionMetricWriter):
  """Keeps what is measured."""
  rows = {}

  def measure(self, name, value):
    value = super().measure(name, value)
    self.rows.setdefault(self.step, {})[name] = value
    return value


class KeepParams:
  """An evaluator that keeps the student's parameters."""

  def run(self, state):
    self.params = jax.device_get(state["params"]["student"])
    return ()


def run(config, data):
  spec = {k: tf.TensorSpec(v.shape[1:], tf.float32) for k, v in data.items()}
  distill.input_pipeline = types.SimpleNamespace(
      training=lambda _: (types.SimpleNamespace(element_spec=spec), STEPS * BATCH),
      start_global=lambda *a: iter([jax.device_put({k: v[i] for k, v in data.items()}) for i in range(STEPS)]))
  keep = KeepParams()
  distill.eval_common = types.SimpleNamespace(from_config=lambda *a: [("keep", keep, STEPS, "")])
  u.sync = lambda: None
  u.chrono = u.Chrono()
  u.BigVisionMetricWriter = Recorder
  Recorder.rows = {}
  distill.flags = types.SimpleNamespace(FLAGS=types.SimpleNamespace(
      config=mlc.ConfigDict({**config, "evals": {"keep": {}}}), workdir=None, cleanup=False))
  distill.main(None)
  return Recorder.rows, keep.params


def trained():
  rng = np.random.default_rng(0)
  pixels = lambda *shape: (rng.integers(-2, 3, (STEPS, BATCH, *shape)) / 2).astype(np.float32)
  for label, (options, teachers, data_spec, note) in CASES.items():
    data = dict(image=pixels(8, 8, 3), labels=np.eye(CLASSES, dtype=np.float32)[rng.integers(0, CLASSES, (STEPS, BATCH))])
    for name, shape in data_spec.items():
      if shape is None:
        del data[name]
      else:
        data[name] = pixels(*shape)
    case = f"train_distill_{label}"
    folder = c.RECORDINGS / case
    params = {}
    for i, (name, model) in enumerate(teachers.items()):
      made = vit.Model(CLASSES, **model).init(jax.random.PRNGKey(i), data.get(name, data["image"])[0])["params"]
      params[name] = jax.tree.map(lambda x: 2 * x, c.perturb(made, i))
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in params.items():
      c.write_npz(folder / f"{name}.npz", c.flat(values, "params/"))
    config = dict(
        ADAM, seed=0, total_steps=STEPS, num_classes=CLASSES, input=dict(batch_size=BATCH), log_training_steps=1,
        pp_modules=[], student_name="vit", student=SMALL, teachers=list(teachers), **{k: v for k, v in options.items() if k != "seed"})
    config["seed"] = options.get("seed", 0)
    for name, model in teachers.items():
      config.update({f"{name}_name": "vit", name: model, f"{name}_init": f"{name}.npz"})
    given = {**config, **{f"{name}_init": str(folder / f"{name}.npz") for name in teachers}}
    rows, student = run(given, data)
    keys = [k for k in rows[1] if k.startswith(("training_loss", "l2_", "global_schedule", "entropy_", "task_loss_", "distill_loss"))]
    outputs = {k: np.array([rows[s][k] for s in range(1, STEPS + 1)], np.float32) for k in keys}
    outputs.update({k: v for k, v in c.flat(student, "params/").items() if not k.endswith("/key/bias")})
    config = {k: v for k, v in config.items() if k not in ("log_training_steps", "pp_modules")}
    c.save_case(case, kind="train", name="trainers/proj/distill/distill", args=dict(config=config), inputs=data,
                outputs=outputs, atol=1e-5, rtol=1e-4, note=note + " Inputs have a leading axis of steps. Outputs by step, and the "
                "student's final params/<path> (without attention key biases). Teachers are the files TEACHER.npz.")
    for name, values in params.items():
      c.write_npz(folder / f"{name}.npz", c.flat(values, "params/"))
    print({k: np.round(v, 4).tolist() for k, v in outputs.items() if k in keys})


def distances():
  """The evaluator itself on recorded representations."""
  n, batch_size = 13, 4
  data = dict(student=c.normal(0, (16, 2, 3), 2.0), teacher=c.normal(1, (16, 2, 3), 2.0),
              _mask=(np.arange(16) < n).astype(np.float32))
  asked = [dict(kind="kl"), dict(kind="kl", t=2), dict(kind="euclidean"), dict(kind="agree", k=1), dict(kind="agree", k=5)]
  evaluator = dd.Evaluator.__new__(dd.Evaluator)
  evaluator.steps = 4
  evaluator.data_iter = iter([{k: v[i:i + batch_size] for k, v in data.items()} for i in range(0, 16, batch_size)])
  evaluator.dist_names = ["_".join(f"{k}={v}" for k, v in d.items()) for d in asked]
  mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]), ("data",))
  forward = lambda state, batch: ((None, dict(rep=batch["student"])), (None, dict(rep=batch["teacher"])))
  evaluator.eval_fn = dd.get_eval_fn(forward, ("rep", "rep"), mesh, tuple(dd.get_dist_fn(**d) for d in asked))
  outputs = {k: np.float32(v) for k, v in evaluator.run({}) if not k.endswith("/all")}
  c.save_case("eval_distill_distance", kind="evaluator", name="proj/distill/distance",
              args=dict(batch_size=batch_size, distances=asked), inputs=data, outputs=outputs, atol=1e-5, rtol=1e-5,
              note="representations of student and teacher, flattened; the last three are padding.")


if __name__ == "__main__":
  c.clear("train_distill_")
  trained()
  distances()
