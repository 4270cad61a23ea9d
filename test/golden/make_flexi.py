"""FlexiViT: training with a size for each step (kind `train`), and loading a ViT's checkpoint (kind `model`)."""

import common as c
import big_vision.optax as bv_optax
from big_vision.models import vit
from big_vision.models.proj.flexi import vit as flexi
import jax
import jax.numpy as jnp
import make_init
import ml_collections as mlc
import numpy as np
import optax

# What our tap draws in steps 1, 2, ... for seed 0; the original draws with numpy.
SIZES = [3, 2, 4, 4, 3, 2, 3, 4]
MODEL = dict(patch_size=[6, 6], posemb_size=[2, 2], width=8, depth=1, num_heads=2, mlp_dim=16, pool_type="tok", head_zeroinit=False)


def trained():
  cfg = dict(seed=0, total_steps=len(SIZES), num_classes=5, model_name="proj.flexi.vit", model=MODEL, loss="softmax_xent",
             grad_clip_norm=1.0, optax_name="scale_by_adam", optax={}, lr=0.003, wd=0.001,
             schedule=dict(warmup_steps=2, decay_type="cosine"), input=dict(batch_size=8),
             flexi=dict(seqhw=dict(v=[2, 3, 4], p=[1, 2, 1])))
  config = mlc.ConfigDict(cfg)
  rng = np.random.default_rng(0)
  image = (rng.integers(-2, 3, (len(SIZES), 8, 12, 12, 3)) / 2).astype(np.float32)
  labels = np.eye(5, dtype=np.float32)[rng.integers(0, 5, (len(SIZES), 8))]
  model = flexi.Model(num_classes=5, **{**MODEL, "patch_size": (6, 6), "posemb_size": (2, 2)})
  params, _ = make_init.as_train(model, config.seed, np.zeros(image.shape[1:], np.float32), None)
  tx, _ = bv_optax.make(config, params, sched_kw=dict(
      total_steps=config.total_steps, batch_size=8, data_size=config.total_steps * 8))
  opt = jax.jit(tx.init)(params)
  rows = []
  for i, size in enumerate(SIZES):
    def loss_fn(params):
      logits, _ = model.apply({"params": params}, image[i], train=True, seqhw=size)  # pylint: disable=cell-var-from-loop
      return c.u.softmax_xent(logits=logits, labels=labels[i])  # pylint: disable=cell-var-from-loop
    l, grads = jax.value_and_grad(loss_fn)(params)
    updates, opt = tx.update(grads, opt, params)
    params = optax.apply_updates(params, updates)
    norm = lambda t: jnp.sqrt(sum(jnp.vdot(x, x) for x in jax.tree.leaves(t)))
    rows.append(jax.device_get(dict(training_loss=l, l2_grads=norm(grads), l2_params=norm(params), l2_updates=norm(updates))))
  outputs = {k: np.array([r[k] for r in rows], np.float32) for k in rows[0]}
  outputs.update({k: v for k, v in c.flat(jax.device_get(params), "params/").items() if not k.endswith("/key/bias")})
  c.save_case("train_flexi", kind="train", name="trainers/proj/flexi/train", args=dict(config=cfg), inputs=dict(image=image, labels=labels),
              outputs=outputs, atol=2e-5, rtol=2e-4, note="the step of trainers/proj/flexi/train.py on one device, with the sizes "
              f"{SIZES} of its steps. Parameters from the seed. Outputs by step, and the final params/<path>.")
  print({k: np.round(v, 4).tolist() for k, v in outputs.items() if "/" not in k})


def loaded():
  """A ViT with patches of 4 for images of 12 becomes a FlexiViT that stores patches of 6 and a grid of 2."""
  small = dict(width=8, depth=1, num_heads=2, mlp_dim=16, pool_type="tok", head_zeroinit=False)
  image = c.normal(1, (2, 12, 12, 3), 0.5)
  params = c.perturb(vit.Model(5, patch_size=(4, 4), **small).init(jax.random.PRNGKey(0), image)["params"], 2)
  path = c.CASES / "load_flexi_vit"
  path.mkdir(parents=True, exist_ok=True)
  c.write_npz(path / "vit.npz", c.flat(params, "params/"))
  model = flexi.Model(5, **{**MODEL, "patch_size": (6, 6), "posemb_size": (2, 2)})
  init = jax.device_get(model.init(jax.random.PRNGKey(3), image)["params"])
  got = flexi.load(init, str(path / "vit.npz"), mlc.ConfigDict(dict(patch_size=(6, 6))))
  logits, _ = model.apply({"params": got}, image, seqhw=3)
  outputs = {**c.flat(jax.device_get(got), "params/"), "logits": np.asarray(logits)}
  c.save_case("load_flexi_vit", kind="model", name="proj/flexi/vit:load", args=dict(model=dict(MODEL, num_classes=5), init_file="vit.npz", seqhw=3),
              inputs={"image": image, **c.flat(init, "init/")}, outputs=outputs, atol=2e-5, rtol=2e-4,
              note="vit.npz is loaded into a FlexiViT that starts as init/...; logits are with seqhw.")
  c.write_npz(path / "vit.npz", c.flat(params, "params/"))


if __name__ == "__main__":
  trained()
  loaded()
