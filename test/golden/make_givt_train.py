"""GIVT: the updates of both stages (kind `train`)."""

import common as c
import big_vision.optax as bv_optax
from big_vision.models.proj.givt import givt
from big_vision.models.proj.givt import vit
import jax
import jax.numpy as jnp
import ml_collections as mlc
import numpy as np
import optax

# Since then removed from JAX; it was this.
jax.random.shuffle = lambda key, x, axis: jax.random.permutation(key, x, axis=axis, independent=True)

STEPS, BATCH = 4, 3
VAE = dict(
    input_size=[8, 8], patch_size=[4, 4], code_len=4, codeword_dim=3, width=8, enc_depth=1, dec_depth=1, mlp_dim=16,
    num_heads=2, code_dropout="seq", dropout=0.1)
OPTIMIZER = dict(
    seed=1, total_steps=STEPS, input=dict(batch_size=BATCH), optax_name="scale_by_adam", optax=dict(b2=0.95), lr=0.01, wd=1e-4,
    grad_clip_norm=1.0, schedule=dict(decay_type="cosine", warmup_steps=2))


def run(config, params_of, loss_of, inputs, kept):
  """Measurements of each step, and what is `kept` of the final parameters."""
  cfg = mlc.ConfigDict(config)
  key, key_init = jax.random.split(jax.random.PRNGKey(1))
  _, key_loop = jax.random.split(key)
  params = params_of(key_init)
  tx, _ = bv_optax.make(cfg, params, sched_kw=dict(total_steps=STEPS, batch_size=BATCH, data_size=STEPS * BATCH))
  opt = tx.init(params)

  @jax.jit
  def update(params, opt, batch, step):
    _, k = jax.random.split(jax.random.fold_in(key_loop, step))
    (loss, metrics), grads = jax.value_and_grad(lambda p: loss_of(p, batch, k), has_aux=True)(params)
    updates, opt = tx.update(grads, opt, params)
    return optax.apply_updates(params, updates), opt, dict(training_loss=loss, **metrics)

  rows = []
  for i in range(STEPS):
    params, opt, row = update(params, opt, {k: v[i] for k, v in inputs.items()}, i)
    rows.append(jax.device_get(row))
    print(rows[-1])
  outputs = {k: np.array([r[k] for r in rows], np.float32) for k in rows[0]}
  outputs.update({k: v for k, v in c.flat(jax.device_get(params), "params/").items() if any(part in k for part in kept)})
  return outputs


def stage1():
  specs = dict(instances=[1, 4], semantics=[0, 3])
  rng = np.random.default_rng(0)
  image = np.stack([rng.integers(0, n, (STEPS, BATCH, 8, 8)) for n in (3, 4)], -1).astype(np.int32)
  args = dict(VAE, inout_specs=specs)
  model = vit.Model(**args)

  def loss_of(params, batch, k):
    logits, out = model.apply({"params": params}, batch["image"], train=True, rngs={"dropout": k})
    rec = 0.0
    for name, (channel, _) in specs.items():
      labels = batch["image"][..., channel].reshape((BATCH, -1))
      rec += c.u.weighted_softmax_xent(
          logits=logits[name].reshape((BATCH, -1, logits[name].shape[-1])), labels=labels, reduction=False,
          weights=(labels != 0).astype(jnp.int32))
    kl = -0.5 * jnp.sum(1 + out["logvar"] - jnp.square(out["mu"]) - jnp.exp(out["logvar"]), axis=(1, 2))
    rec, kl = jnp.mean(rec), jnp.mean(kl)
    return rec + 0.01 * kl, dict(loss=rec + 0.01 * kl, loss_rec=rec, loss_kl=kl)

  config = dict(OPTIMIZER, model_name="proj.givt.vit", model=args)
  outputs = run(config, lambda k: jax.jit(lambda k: model.init(k, image[0])["params"])(k), loss_of, dict(image=image), ["_head"])
  c.save_case(
      "train_givt_stage1", kind="train", name="trainers/proj/givt/vae",
      args=dict(config=config, rec_loss_fn="xent", beta=0.01, mask_zero_target=True), inputs=dict(image=image), outputs=outputs,
      atol=2e-5, rtol=5e-4, note="A VAE of labels from the seed.")


def stage2():
  oracle_args = dict(VAE, head_zeroinit=False)
  oracle = vit.Model(**oracle_args)
  rng = np.random.default_rng(1)
  image = rng.uniform(-1, 1, (STEPS, BATCH, 8, 8, 3)).astype(np.float32)
  labels = rng.integers(0, 4, (STEPS, BATCH)).astype(np.int32)
  frozen = c.perturb(jax.jit(lambda k: oracle.init(k, image[0])["params"])(jax.random.PRNGKey(8)), 4)
  args = dict(
      num_heads=2, num_decoder_layers=1, mlp_dim=12, emb_dim=8, num_labels=4, seq_len=4, out_dim=3, num_mixtures=2,
      style="masked", mask_style="concat", fix_square_plus=True, per_channel_mixtures=False, dec_dropout_rate=0.1)
  model = givt.Model(**args)

  def loss_of(params, batch, k):
    k, k_dropout = jax.random.split(k)
    k, k_mask = jax.random.split(k)
    mu, logvar = oracle.apply({"params": frozen}, batch["image"], method=oracle.encode)
    rngs = {"dropout": k_dropout}
    sequence = oracle.apply({"params": frozen}, mu, logvar, method=oracle.reparametrize, rngs=rngs)
    mask = model.get_input_mask_training(k_mask, sequence.shape[:2])
    _, pdf = model.apply({"params": params}, sequence, batch["labels"], train=True, input_mask=mask, rngs=rngs)
    nll = -pdf.log_prob(sequence)
    metrics = {"train/nll": nll.mean(), "train/fraction_masked_out": mask.astype(jnp.float32).mean()}
    return jnp.where(mask, nll, 0.0).mean(where=mask), metrics

  def params_of(key):
    return jax.jit(lambda k: model.init(k, np.zeros((BATCH, 4, 3), np.float32), labels[0], input_mask=np.zeros((BATCH, 4), bool))["params"])(key)
  config = dict(OPTIMIZER, model_name="proj.givt.givt", model=args)
  outputs = run(config, params_of, loss_of, dict(image=image, labels=labels), ["LogitsDense", "EmbedTargets"])
  folder = c.save_case(
      "train_givt_stage2", kind="train", name="trainers/proj/givt/generative",
      args=dict(config=config, vae=dict(model_name="proj.givt.vit", model=oracle_args, model_init="vae.npz")),
      inputs=dict(image=image, labels=labels), outputs=outputs, atol=2e-5, rtol=5e-4,
      note="A masked transformer from the seed, on the tokens of the frozen VAE in vae.npz.")
  np.savez_compressed(folder / "vae.npz", **c.flat(frozen, "params/"))


if __name__ == "__main__":
  c.clear("train_givt")
  stage1()
  stage2()
