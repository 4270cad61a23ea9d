"""Jet: kinds `model` (with a context), `init_exact`, and training (kind `train`)."""

import common as c
import big_vision.optax as bv_optax
from big_vision.models.proj.jet import jet
import jax
import jax.numpy as jnp
import ml_collections as mlc
import numpy as np
import optax

ARGS = dict(
    depth=3, block_depth=1, emb_dim=8, num_heads=2, ps=2, kinds=["channels", "spatial"], scale_factor=1.5,
    spatial_coupling_projs=["hstripes-inv", "vstripes"])


def model():
  flow = jet.Model(**ARGS)
  image, context = c.normal(0, (2, 4, 4, 1)), c.normal(1, (2, 1, 3))
  params = jax.jit(lambda k: flow.init(k, image, context, method=flow.forward)["params"])(jax.random.PRNGKey(0))
  moved = c.perturb(params, 2)
  masks = {k: v for k, v in jax.device_get(params).items() if k.endswith("FREEZE_ME")}
  params = {**moved, **masks}
  forward = lambda p, x: flow.apply({"params": p}, x, context, method=flow.forward)
  z, logdet = forward(params, image)
  back, logdet_back = flow.apply({"params": params}, z, context, method=flow.inverse)
  c.save_case(
      "model_jet_context", kind="model", name="proj/jet/jet", args=ARGS, atol=2e-5, rtol=1e-4,
      inputs={"image": image, "context": context, **c.flat(params, "params/")},
      outputs=dict(forward=z, logdet=logdet, inverse=back, logdet_inverse=logdet_back),
      note="A conditional flow, forward and back, with stripes and a kernel of the context's attention that isn't zero.")


def init():
  flow = jet.Model(**ARGS)
  image = np.zeros((1, 4, 4, 1), np.float32)
  params = jax.jit(lambda k: flow.init(k, image, method=flow.forward)["params"])(jax.random.PRNGKey(3))
  c.save_case(
      "init_exact_jet", kind="init_exact", name="proj/jet/jet", args=ARGS, call=dict(seed=3), inputs=dict(image=image),
      outputs=c.flat(params, "params/"), atol=1e-7, rtol=2e-6, note="Every initial value, permutations too.")


def masks():
  """Grids with an odd side that a pattern still halves. Where it doesn't, the original's matrix loses patches, or it fails."""
  for label, shape, kinds in (("high", (10, 4, 1), ["vstripes", "checkerboard-inv"]), ("wide", (4, 10, 1), ["hstripes", "vstripes-inv"])):
    args = dict(depth=3, image_shape=shape, ps=2, proj_kinds=kinds)
    mask = jet.get_spatial_coupling_init(**args)(jax.random.PRNGKey(0), jnp.float32)
    c.save_case(f"init_jet_masks_{label}", kind="init", name="proj/jet/jet:get_spatial_coupling_init", args=args,
                outputs=dict(output=mask), note="An odd number of patches on one side, and a layer without a pattern.")


def training():
  """The update of trainers/proj/jet/train.py on one device."""
  steps, batch = 5, 4
  config = dict(
      seed=1, total_steps=steps, model_name="proj.jet.jet", model=ARGS, input=dict(batch_size=batch),
      optax_name="scale_by_adam", optax=dict(b2=0.95), lr=0.01, wd=1e-5, wd_mults=[[".*", 1.0]], grad_clip_norm=1.0,
      schedule=[[".*FREEZE_ME.*", None], [".*", dict(decay_type="cosine", warmup_steps=2)]])
  drop_prob = 0.5
  rng = np.random.default_rng(0)
  image = (rng.integers(0, 256, (steps, batch, 4, 4, 1)) / 127.5 - 1).astype(np.float32)
  label = rng.standard_normal((steps, batch, 3)).astype(np.float32)
  cfg = mlc.ConfigDict(config)
  flow = jet.Model(**ARGS)
  key, key_init = jax.random.split(jax.random.PRNGKey(1))
  _, key_loop = jax.random.split(key)
  params = jax.jit(lambda k: flow.init(k, image[0], context=label[0][:, None], method=flow.forward)["params"])(key_init)
  tx, _ = bv_optax.make(cfg, params, sched_kw=dict(total_steps=steps, batch_size=batch, data_size=steps * batch))
  opt = tx.init(params)
  dims = np.prod(image.shape[2:])

  @jax.jit
  def update(params, opt, images, label, step):
    key_input, _, key_drop = jax.random.split(jax.random.fold_in(key_loop, step), 3)
    images = images + jax.random.uniform(key_input, images.shape, minval=0.0, maxval=1.0 / 127.5)
    def loss_fn(params):
      drop = drop_prob > jax.random.uniform(key_drop, (), jnp.float32)
      z, logdet = flow.apply({"params": params}, images, context=label[:, None] * (~drop), method=flow.forward)
      nll = jnp.sum(-jax.scipy.stats.norm.logpdf(z) + np.log(127.5), axis=range(1, z.ndim))
      parts = dict(bits=nll - logdet, nll=nll, logdet=logdet)
      parts = {k: jnp.mean(v) / (np.log(2) * dims) for k, v in parts.items()}
      return parts["bits"], parts
    (loss, parts), grads = jax.value_and_grad(loss_fn, has_aux=True)(params)
    updates, opt = tx.update(grads, opt, params)
    return optax.apply_updates(params, updates), opt, dict(training_loss=loss, **parts)

  rows = []
  for i in range(steps):
    params, opt, row = update(params, opt, image[i], label[i], i)
    rows.append(jax.device_get(row))
    print(rows[-1])
  outputs = {k: np.array([r[k] for r in rows], np.float32) for k in rows[0]}
  outputs.update({k: v for k, v in c.flat(jax.device_get(params), "params/").items() if not k.endswith("/key/bias")})
  c.save_case(
      "train_jet", kind="train", name="trainers/proj/jet/train", args=dict(config=config, condition_drop_prob=drop_prob),
      inputs=dict(image=image, label=label), outputs=outputs, atol=2e-5, rtol=5e-4,
      note="A conditional flow from the seed; some batches go without their labels.")


if __name__ == "__main__":
  c.clear("model_jet", but="model_jetformer")
  c.clear("init_exact_jet", but="init_exact_jetformer")
  c.clear("train_jet", but="train_jetformer")
  c.clear("init_jet_masks_")
  model()
  init()
  masks()
  training()
