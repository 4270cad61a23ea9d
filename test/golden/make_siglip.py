"""Cases of kind `train` of the original's trainer for SigLIP: as make_train.py, with pairs of images and texts."""

import importlib
import sys

import common as c
import big_vision
import jax
import numpy as np

jax.distributed.initialize = lambda *a, **k: None
jax.tree_leaves = jax.tree.leaves
siglip = importlib.import_module("big_vision.trainers.proj.image_text.siglip")
# Both trainers define the same flags, so there is only one of them.
sys.modules["big_vision.train"] = big_vision.train = siglip
import make_train  # pylint: disable=wrong-import-position

STEPS, BATCH, LENGTH, VOCAB = 6, make_train.BATCH, 4, 12
SMALL = dict(width=8, depth=1, num_heads=2, mlp_dim=16)
MODEL = dict(image=dict(SMALL, patch_size=[4, 4], pool_type="map", head_zeroinit=False),
             text=dict(SMALL, vocab_size=VOCAB), out_dim=6, temperature_init=10.0, bias_init=-2.71)
ADAM = dict(grad_clip_norm=1.0, optax_name="scale_by_adam", optax={}, lr=0.003, wd=0.0001)
COSINE = dict(decay_type="cosine", warmup_steps=2)

CASES = {
    "all": (dict(ADAM, schedule=COSINE, model=MODEL), "both towers learn."),
    "lit": (dict(ADAM, schedule=[["img/.*", None], [".*", COSINE]], seed=3,
                 model=dict(MODEL, image=dict(MODEL["image"], pool_type="tok"), out_dim=[None, 8])),
            "the image tower is frozen and has no head (LiT)."),
}


def main():
  rng = np.random.default_rng(0)
  image = (rng.integers(-2, 3, (STEPS, BATCH, 8, 8, 3)) / 2).astype(np.float32)
  labels = rng.integers(0, VOCAB, (STEPS, BATCH, LENGTH)).astype(np.int32)
  for label, (config, note) in CASES.items():
    config = {"seed": 0, "total_steps": STEPS, "model_name": "proj.image_text.two_towers", "input": dict(batch_size=BATCH),
              "log_training_steps": 1, "ckpt_steps": STEPS, "pp_modules": [], **config}
    given = {**config, "model": {**config["model"], "out_dim": (
        tuple(d) if isinstance(d := config["model"]["out_dim"], list) else d)}}
    make_train.save(
        f"train_siglip_{label}", "trainers/proj/image_text/siglip", config, image, labels, note, given=given)


if __name__ == "__main__":
  c.clear("train_siglip_")
  main()
