"""JetFormer: kinds `model` (intermediates, gradients, drawing, patches), `init_exact` and `train`."""

import common as c
import big_vision.optax as bv_optax
from big_vision.models.proj.jet import jet
from big_vision.models.proj.jetformer import jetformer
from big_vision.models.proj.jetformer import patch_pca
from big_vision.trainers.proj.jetformer import predict_fns
import jax
import jax.numpy as jnp
import ml_collections as mlc
import numpy as np
import optax

SIZES = dict(
    width=8, depth=2, mlp_dim=12, num_heads=2, num_kv_heads=1, head_dim=4, vocab_size=12, bos_id=10, nolabel_id=9,
    num_mixtures=2, out_dim=3)
SHARED = dict(
    SIZES, num_kv_heads=2, num_vocab_repeats=2, causal_mask_on_prefix=False, per_modality_final_norm=True, scan=True)
RANDOM = dict(
    SIZES, boi_id=11, untie_output_vocab=True, dropout=0.4, dropout_bdims=[-1], multivariate=True, num_mixtures=1)


def batch_of(args, seed):
  rng = np.random.default_rng(seed)
  text = rng.integers(0, 9, (4, 3)).astype(np.int32)
  return dict(
      text_tokens=text, image_tokens=rng.standard_normal((4, 4, args["out_dim"])).astype(np.float32),
      text_first_mask=np.array([1, 1, 0, 0], bool), text_input_mask=np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1], [1, 1, 1]], bool),
      drop_prefix=np.array([0, 1, 0, 1], bool))


def params_of(model, inputs):
  return c.perturb(jax.jit(lambda k: model.init(k, **inputs)["params"])(jax.random.PRNGKey(0)), 1)


def record(name, args, note, train=False):
  model, inputs = jetformer.Model(**args), batch_of(args, 3)
  params = params_of(model, inputs)
  rngs = dict(dropout=jax.random.PRNGKey(5)) if train else {}

  def run(params, image):
    given = {**inputs, "image_tokens": image}
    text, images, pmf, pdf, out = model.apply({"params": params}, **given, train=train, rngs=rngs)
    return dict(
        text_logits=text, image_logits=images, text_log_prob=pmf.log_prob(inputs["text_tokens"]),
        image_log_prob=pdf.log_prob(image), **{f"out/{k}": v for k, v in out.items()})

  def loss_fn(params, image):
    found = run(params, image)
    return -(found["text_log_prob"].mean() + found["image_log_prob"].mean())

  outputs, extra = run(params, inputs["image_tokens"]), {}
  if train:
    loss, (grads, grad_image) = jax.value_and_grad(loss_fn, argnums=(0, 1))(params, inputs["image_tokens"])
    outputs.update(loss=loss, grad_image_tokens=grad_image, **c.flat(grads, "grad/"))
    extra = dict(loss="nll", call=dict(kwargs=dict(train=True), rngs=dict(dropout=5)))
  c.save_case(
      name, kind="model", name="proj/jetformer/jetformer", args=args, inputs={**inputs, **c.flat(params, "params/")},
      outputs=outputs, atol=2e-5, rtol=5e-4, note=note, **extra)


def init():
  inputs = batch_of(RANDOM, 3)
  args = dict(RANDOM, per_modality_final_norm=True, scan=True)
  model = jetformer.Model(**args)
  params = jax.jit(lambda k: model.init(k, **inputs)["params"])(jax.random.PRNGKey(3))
  c.save_case(
      "init_exact_jetformer", kind="init_exact", name="proj/jetformer/jetformer", args=args, call=dict(seed=3), inputs=inputs, outputs=c.flat(params, "params/"), atol=1e-7, rtol=2e-6, note="Every initial value.")


def drawing():
  """What is drawn after texts, with guidance and without, and after images."""
  args = dict(SIZES, boi_id=11, scan=True, causal_mask_on_prefix=False)
  model, inputs = jetformer.Model(**args), batch_of(SIZES, 4)
  params = params_of(model, inputs)
  text, mask, image = inputs["text_tokens"][:2], inputs["text_input_mask"][:2], inputs["image_tokens"][:2]
  words = dict(text=text, text_mask=mask)
  outputs = {}
  draws = dict(plain=dict(temperature=0.7, temperature_probs=0.8), guided=dict(cfg_weight=0.6, temperature=0.9))
  for name, settings in draws.items():
    out = predict_fns.sample_image_latents(
        params, words, model=model, decode_len=4, rng=jax.random.PRNGKey(7), **settings)
    outputs.update({f"{name}/tokens": out["out_tokens"], f"{name}/log_probs": out["out_logp"]})
  for name, given in dict(words=dict(text=None), more_words=words).items():
    out = predict_fns.sample_text(
        params, dict(image_latents=image, **given), model=model, decode_len=5, temperature=0.8, rng=jax.random.PRNGKey(8))
    outputs.update({f"{name}/tokens": out["out_tokens"], f"{name}/log_probs": out["out_logp"]})
  c.save_case(
      "model_jetformer_drawing", kind="model", name="trainers/proj/jetformer/predict_fns",
      args=dict(model=args, images=draws, texts=dict(temperature=0.8), seeds=dict(images=7, texts=8)),
      inputs={**words, "image_tokens": image, **c.flat(params, "params/")}, outputs=outputs, atol=1e-4, rtol=1e-3,
      note="The same tokens from the same key, from texts with padding and from images.")


def patches():
  rng = np.random.default_rng(0)
  pca = dict(
      components_=rng.standard_normal((6, 24)).astype(np.float32), explained_variance_=rng.uniform(0, 2, 6).astype(np.float32),
      mean_=rng.standard_normal(24).astype(np.float32))
  image = rng.uniform(-1, 1, (2, 4, 8, 3)).astype(np.float32)
  args = dict(input_size=[4, 8], patch_size=[2, 4], code_len=8, codeword_dim=3, depth_to_seq=2, add_dequant_noise=True, noise_std=0.1)
  patch_pca._load_pca_params = lambda _: pca
  model = patch_pca.Model(**args, pca_init_file="pca.npz")
  rngs = dict(dropout=jax.random.PRNGKey(2))
  mu, logvar = model.apply({}, image, method=model.encode, rngs=rngs)
  tokens = model.apply({}, mu, logvar, method=model.reparametrize, rngs=rngs)
  pixels = patch_pca.Model(**dict(args, depth_to_seq=1), skip_pca=True)
  whole, _ = pixels.apply({}, image, method=pixels.encode, rngs=rngs)
  c.save_case(
      "model_jetformer_patches", kind="model", name="proj/jetformer/patch_pca", args=args, call=dict(rngs=dict(dropout=2)),
      inputs=dict(image=image, **pca),
      outputs=dict(
          tokens=tokens, image=model.apply({}, mu, method=model.decode), pixels=whole,
          image_of_pixels=pixels.apply({}, whole, method=pixels.decode)),
      atol=2e-5, rtol=1e-4, note="Whitened components, cut in two, with both kinds of noise; and plain pixels.")


def training(name, options, note):
  """The update of trainers/proj/jetformer/train.py on one device, from parameters that both recordings share."""
  steps, batch = 3, 6
  model_args = dict(SIZES, width=4, depth=1, mlp_dim=6, boi_id=11, scan=True, dropout=0.2, drop_labels_probability=0.4, untie_output_vocab=True)
  flow_args = dict(depth=2, block_depth=1, emb_dim=4, num_heads=1, ps=1, kinds=["channels"], channels_coupling_projs=["random"])
  pca_args = dict(input_size=[4, 4], patch_size=[2, 2], code_len=4, codeword_dim=3, noise_std=0.0, add_dequant_noise=True, skip_pca=True)
  config = dict(
      seed=1, total_steps=steps, model_name="proj.jetformer.jetformer", model=model_args, model_init="../train_jetformer/init.npz", input=dict(batch_size=batch),
      optax_name="scale_by_adam", optax=dict(b2=0.95), lr=0.01, wd=1e-4, grad_clip_norm=1.0,
      schedule=[[".*FREEZE_ME.*", None], [".*", dict(decay_type="cosine", warmup_steps=1)]])
  get = dict(options).get
  noise_dim = 12 - 3
  cfg = mlc.ConfigDict(config)
  model, flow, pca = jetformer.Model(**model_args), jet.Model(**flow_args), patch_pca.Model(**pca_args)
  rng = np.random.default_rng(0)
  inputs = dict(
      image=(rng.integers(0, 256, (steps, batch, 4, 4, 3)) / 127.5 - 1).astype(np.float32),
      text=rng.integers(0, 9, (steps, batch, 3)).astype(np.int32), text_mask=(rng.random((steps, batch, 3)) < 0.7).astype(np.int32))
  inputs["text_loss"] = np.maximum(inputs["text_mask"], [1, 0, 0]).astype(np.int32)
  tokens = np.zeros((batch, 2, 2, 12), np.float32)
  start = model.init(
      jax.random.PRNGKey(0), inputs["text"][0], tokens.reshape((batch, 4, 12))[..., :3], text_first_mask=np.zeros(batch, bool))["params"]
  params_flow = flow.init(jax.random.PRNGKey(1), tokens, method=flow.forward)["params"]
  masks = {k: v for k, v in jax.device_get(params_flow).items() if k.endswith("FREEZE_ME")}
  start = {**c.perturb(start, 1), "params_adaptor": {**c.perturb(params_flow, 2), **masks}}

  def loss_fn(params, batch, rng, noise_scale, train=True):
    text, images = batch["text"], batch["image"]
    n = images.shape[0]
    rng, rng_dropout, rng_order, rng_drop, rng_noise = jax.random.split(rng, 5)
    first = jax.random.bernoulli(rng_order, get("text_prefix_prob", 0.5), (n,))
    if noise_scale is not None:
      if not get("rgb_noise_on_image_prefix", True):
        noise_scale = jnp.where(first, noise_scale, 0.0)[:, None, None, None]
      images = jnp.round((images + 1) * 127.5) + noise_scale * jax.random.normal(rng_noise, images.shape)
      images = jnp.round(images) / 127.5 - 1
    rngs = dict(dropout=rng_dropout)
    mu, logvar = pca.apply({}, images, method=pca.encode, rngs=rngs)
    x = predict_fns.unflatten_latents(pca.apply({}, mu, logvar, method=pca.reparametrize, rngs=rngs))
    x, sum_log_det = flow.apply({"params": params["params_adaptor"]}, x, method=flow.forward)
    x = predict_fns.flatten_latents(x)
    x, noise = x[..., :-noise_dim], x[..., -noise_dim:]
    noise_nll = -jax.scipy.stats.norm.logpdf(noise).sum((1, 2))
    if train:
      _, rng_std, rng_input = jax.random.split(rng, 3)
      std = jax.random.uniform(rng_std, (n, 1, 1), minval=0.0, maxval=get("input_noise_std"))
      x = x + jnp.where(first[:, None, None], std, 0.0) * jax.random.normal(rng_input, x.shape)
    drop = model.get_drop_labels(rng_drop, batch_size=n) & first if train else jnp.full((n,), False)
    if get("stop_grad_nvp_prefix", False):
      x = jnp.where(first[:, None, None], x, jax.lax.stop_gradient(x))
    *_, pmf, pdf, _ = model.apply(
        {"params": params}, text, x, train=train, text_first_mask=first, text_input_mask=batch["text_mask"] == 1, drop_prefix=drop,
        rngs=rngs)
    nll_txt = jnp.mean(-pmf.log_prob(text), axis=1, where=batch["text_loss"] == 1)
    size = np.prod(images.shape[1:])
    nll_tokens = (-pdf.log_prob(x).sum(1) + noise_nll) / size / jnp.log(2)
    logdet = (sum_log_det / size - jnp.log(127.5)) / jnp.log(2)
    nll_img = nll_tokens - logdet
    metrics = dict(
        nll_text_prefix=jnp.mean(nll_txt, where=first & ~drop), nll_text_suffix=jnp.mean(nll_txt, where=~first),
        nll_image_prefix=jnp.mean(nll_img, where=~first), nll_image_suffix=jnp.mean(nll_img, where=first))
    weight = get("text_loss_weight", 1.0)
    if get("loss_on_prefix", True):
      metrics.update(
          nll_text=jnp.mean(nll_txt, where=(first & ~drop) | ~first), nll_image=jnp.mean(nll_img, where=~drop | first),
          logdet=jnp.mean(logdet))
      loss = metrics["nll_text"] * weight + metrics["nll_image"]
    else:
      metrics.update(
          nll_text=jnp.mean(nll_txt, where=~first), nll_image=jnp.mean(nll_img, where=first),
          nll_image_tokens=jnp.mean(nll_tokens, where=first), logdet=jnp.mean(logdet, where=first))
      loss = jnp.mean(jnp.where(~first, nll_txt * weight, nll_img))
    return loss, dict(metrics, loss=loss)

  tx, _ = bv_optax.make(cfg, start, sched_kw=dict(total_steps=steps, batch_size=batch, data_size=steps * batch))
  _, key_loop = jax.random.split(jax.random.split(jax.random.PRNGKey(1))[0])

  @jax.jit
  def update(params, opt, batch, step):
    _, k = jax.random.split(jax.random.fold_in(key_loop, step))
    low = get("noise_min", 0.0)
    scale = (get("noise_scale") - low) * (1 + jnp.cos(jnp.pi * (step / steps))) * 0.5 + low
    (loss, metrics), grads = jax.value_and_grad(loss_fn, has_aux=True)(params, batch, k, scale)
    updates, opt = tx.update(grads, opt, params)
    params = optax.apply_updates(params, updates)
    norm = jnp.sqrt(sum(jnp.vdot(p, p) for p in jax.tree.leaves(params["params_adaptor"])))
    named = {f"train/{k}": v for k, v in metrics.items()}
    return params, opt, dict(training_loss=loss, noise_scale=scale, l2_params_adaptor=norm, **named)

  params, opt, rows = start, tx.init(start), []
  for i in range(steps):
    params, opt, row = update(params, opt, {k: v[i] for k, v in inputs.items()}, i)
    rows.append(jax.device_get(row))
    print(rows[-1])
  outputs = {k: np.array([r[k] for r in rows], np.float32) for k in rows[0]}
  kept = ("LogitsImage", "EmbedText", "EmbedImage", "final_proj", "attn")
  outputs.update({k: v for k, v in c.flat(jax.device_get(params), "params/").items() if any(part in k for part in kept)})
  folder = c.save_case(
      name, kind="train", name="trainers/proj/jetformer/train",
      args=dict(config=config, jetformer=dict(options, patch_pca=pca_args, adaptor=flow_args, latent_noise_dim=noise_dim)), inputs=inputs, outputs=outputs,
      atol=5e-5, rtol=1e-3, note=note)
  if name == "train_jetformer":
    c.write_npz(folder / "init.npz", c.flat(start, "params/"))


if __name__ == "__main__":
  for prefix in ("model_jetformer", "grad_jetformer", "init_exact_jetformer", "train_jetformer"):
    c.clear(prefix)
  record("model_jetformer_repeats", SHARED, "No boi token; a text in two vocabularies; parts that see themselves as a whole; padding and hidden parts.")
  record("grad_jetformer", RANDOM, "A full covariance; blocks that are computed again, with dropout that is the same along the width.", train=True)
  init()
  drawing()
  patches()
  training(
      "train_jetformer", dict(
          noise_scale=64.0, noise_min=3.0, rgb_noise_on_image_prefix=False, input_noise_std=0.3, loss_on_prefix=False,
          text_loss_weight=0.25, stop_grad_nvp_prefix=True),
      "Both orders, with a flow, numbers left to a normal distribution, and all kinds of noise; no loss on what comes first.")
  training("train_jetformer_prefix", dict(noise_scale=32.0, input_noise_std=0.2), "Loss on both parts; noise on all images.")
