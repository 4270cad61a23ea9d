"""CapPa: kinds `model` and `init_exact`, and training (kind `train`)."""

import common as c
import big_vision.optax as bv_optax
from big_vision.models.proj.cappa import cappa
import jax
import jax.numpy as jnp
import ml_collections as mlc
import numpy as np
import optax

NAME = "proj/cappa/cappa"
SMALL = dict(num_heads=2, num_layers=1, mlp_dim=12, emb_dim=8, vocab_size=11, seq_len=5, patches=[4, 4])
CAPPA = dict(SMALL, masked_pred_prob=0.6, masking_ratio=0.7, decoder_bias=False)
DEEPER = dict(decoder_num_layers=2, decoder_num_heads=1, decoder_mlp_dim=10, decoder_emb_dim=12)
BATCH, LENGTH = 6, 5


def make(args):
  return cappa.Model(**{**args, "patches": tuple(args["patches"])})


def captions(rng, shape):
  """Words, and 0 for padding behind them."""
  words = rng.integers(1, SMALL["vocab_size"], shape).astype(np.int32)
  ends = rng.integers(2, LENGTH + 1, shape[:-1])
  return np.where(np.arange(LENGTH) < ends[..., None], words, 0).astype(np.int32)


def loss_of(logits, labels, masks=None, smoothing=0.0):
  """The loss of trainers/proj/cappa/generative.py."""
  weights = jnp.where(labels != 0, 1.0, 0.0)
  if masks is not None:
    weights = weights * masks
  return c.u.weighted_softmax_xent(
      logits=logits, labels=labels, weights=weights, label_smoothing=smoothing, reduction=True, normalize=True)


def models():
  rng = np.random.default_rng(0)
  cases = {
      "deeper": (dict(SMALL, **DEEPER, decoder_bias=False, masked_pred_prob=0.5), {}, "a decoder of its own size."),
      "sincos_scan": (dict(SMALL, posemb_type="sincos2d", scan=True, num_layers=2), {}, "stacked; fixed positions."),
      "parallel": (dict(CAPPA, enc_dropout_rate=0.2, dec_dropout_rate=0.3), dict(dropout=5), "parallel prediction, dropout."),
  }
  for i, (label, (args, rngs, note)) in enumerate(cases.items()):
    model = make(args)
    image = c.normal(10 + i, (BATCH, 8, 8, 3), 0.5)
    labels = captions(rng, (BATCH, LENGTH))
    params = c.perturb(model.init(jax.random.PRNGKey(i), image, labels)["params"], 20 + i)
    keys = {k: jax.random.PRNGKey(seed) for k, seed in rngs.items()}
    def loss_fn(params):
      logits = model.apply({"params": params}, image, labels, train=bool(rngs), rngs=keys)  # pylint: disable=cell-var-from-loop
      return loss_of(logits, labels), logits  # pylint: disable=cell-var-from-loop
    (loss, logits), grads = jax.jit(jax.value_and_grad(loss_fn, has_aux=True))(params)
    gradients = {k: v for k, v in c.flat(jax.device_get(grads), "grad/").items()} if rngs else {}
    c.save_case(
        f"model_cappa_{label}", kind="model", name=NAME, args=args, call=dict(kwargs=dict(train=bool(rngs)), rngs=rngs),
        loss="weighted_softmax_xent", inputs=dict(image=image, labels=labels, **c.flat(params, "params/")),
        outputs=dict(output=logits, loss=loss, **gradients), note=note, atol=2e-5, rtol=1e-3)


def init():
  args = dict(SMALL, **DEEPER, scan=True, masked_pred_prob=0.1)
  image, text = np.zeros((1, 8, 8, 3), np.float32), np.zeros((1, LENGTH), np.int32)
  params = make(args).init(jax.random.PRNGKey(3), image, text)["params"]
  c.save_case(
      "init_exact_cappa", kind="init_exact", name=NAME, args=args, call=dict(seed=3), inputs=dict(image=image, text=text),
      outputs=c.flat(params, "params/"), atol=1e-6, rtol=1e-5, note="every initial value, of a stacked decoder too.")


def training():
  """The update of trainers/proj/cappa/generative.py on one device, with the keys of train.py.

  The trainer itself fails at this commit: its calls of bv_sharding are of an earlier signature.
  """
  steps = 5
  rng = np.random.default_rng(1)
  image = (rng.integers(-2, 3, (steps, BATCH, 8, 8, 3)) / 2).astype(np.float32)
  labels = captions(rng, (steps, BATCH, LENGTH))
  masks = (rng.uniform(size=labels.shape) < 0.8).astype(np.float32)
  base = dict(
      seed=2, total_steps=steps, model_name="proj.cappa.cappa", input=dict(batch_size=BATCH), grad_clip_norm=1.0,
      optax_name="big_vision.scale_by_adafactor", optax=dict(beta2_cap=0.999), lr=0.01, wd=0.001,
      schedule=dict(decay_type="cosine", warmup_steps=2))
  for label, args, extra, smoothing, note in (
      ("cap", dict(SMALL), dict(label_masks=masks), 0.1, "Cap, with masks of labels and smooth ones."),
      ("cappa", dict(CAPPA, dec_dropout_rate=0.2), {}, 0.0, "CapPa, with dropout.")):
    config = dict(base, model=args)
    model = make(args)
    key, key_init = jax.random.split(jax.random.PRNGKey(base["seed"]))
    _, key_loop = jax.random.split(key)
    params = jax.jit(lambda k, m=model: m.init(k, image[0], labels[0])["params"])(key_init)
    tx, _ = bv_optax.make(mlc.ConfigDict(config), params, sched_kw=dict(
        total_steps=steps, batch_size=BATCH, data_size=steps * BATCH))
    opt = tx.init(params)

    @jax.jit
    def update(params, opt, batch, step):
      _, key_model = jax.random.split(jax.random.fold_in(key_loop, step))  # pylint: disable=cell-var-from-loop
      def loss_fn(params):
        logits = model.apply(  # pylint: disable=cell-var-from-loop
            {"params": params}, batch["image"], batch["labels"], train=True, rngs={"dropout": key_model})
        return loss_of(logits, batch["labels"], batch.get("label_masks"), smoothing)  # pylint: disable=cell-var-from-loop
      loss, grads = jax.value_and_grad(loss_fn)(params)
      updates, opt = tx.update(grads, opt, params)
      return optax.apply_updates(params, updates), opt, loss

    inputs = dict(image=image, labels=labels, **extra)
    losses = []
    for i in range(steps):
      params, opt, loss = update(params, opt, {k: v[i] for k, v in inputs.items()}, i)
      losses.append(loss)
    print(np.array(losses))
    kept = {k: v for k, v in c.flat(jax.device_get(params), "params/").items() if not k.endswith("/key/bias")}
    c.save_case(
        f"train_{label}", kind="train", name="trainers/proj/cappa/generative",
        args=dict(config=config, label_smoothing=smoothing), inputs=inputs,
        outputs=dict(training_loss=np.array(losses, np.float32), **kept), note=note, atol=2e-5, rtol=1e-3)


if __name__ == "__main__":
  for prefix in ("model_cappa_", "init_exact_cappa", "train_cap"):
    c.clear(prefix)
  models()
  init()
  training()
