"""Gemma: kinds `model` (both kinds of heads, scan, prefix, mask, places, gradients) and `init_exact`."""

import common as c
from big_vision.models.ppp import gemma
import big_vision.utils as u
import jax
import numpy as np

SIZES = dict(
    variant="tiny", width=8, depth=2, mlp_dim=12, num_heads=2, num_kv_heads=2, head_dim=6, vocab_size=11, norm_eps=1e-6)
SHARED = dict(
    SIZES, num_heads=4, num_kv_heads=2, post_norms=True, attn_logits_softcap=3.0, final_logits_softcap=5.0, scan=True,
    remat_policy="nothing_saveable")
TOKENS = np.random.default_rng(0).integers(0, 11, (2, 5)).astype(np.int32)


def params_of(model):
  params = jax.jit(lambda k: model.init(k, TOKENS)["params"])(jax.random.PRNGKey(0))
  return c.perturb(params, 1)


def record(name, args, inputs, note, call=None, select=("output", "out/encoded", "out/pre_logits", "out/logits_pre_norm")):
  model = gemma.Model(**args)
  params = params_of(model)
  result = model.apply({"params": params}, **inputs, **(call or {}))
  found = {"output": result} if (call or {}).get("embed_only") else {"output": result[0], **c.flat(result[1], "out/")}
  c.save_case(
      name, kind="model", name="ppp/gemma", args=args, **(dict(call=dict(kwargs=call)) if call else {}),
      inputs={**{k: np.asarray(v) for k, v in inputs.items()}, **c.flat(params, "params/")},
      outputs={k: found[k] for k in select if k in found}, atol=2e-5, rtol=1e-4, note=note)


def gradient():
  model = gemma.Model(**SHARED)
  params = params_of(model)

  labels = c.onehot(4, 10, 11).reshape(2, 5, 11)

  def loss_fn(params):
    logits, _ = model.apply({"params": params}, TOKENS)
    return u.softmax_xent(logits=logits, labels=labels)

  loss, grads = jax.value_and_grad(loss_fn)(params)
  c.save_case(
      "grad_gemma", kind="model", name="ppp/gemma", args=SHARED, loss="softmax_xent",
      inputs={"tokens": TOKENS, "labels": labels, **c.flat(params, "params/")},
      outputs={"loss": loss, **c.flat(grads, "grad/")}, atol=2e-5, rtol=5e-4, note="Through the loop, with rematerialisation.")


def init():
  for name, args in dict(init_exact_gemma=SIZES, init_exact_gemma_scan=SHARED).items():
    model = gemma.Model(**args)
    params = jax.jit(lambda k: model.init(k, TOKENS)["params"])(jax.random.PRNGKey(3))
    c.save_case(
        name, kind="init_exact", name="ppp/gemma", args=args, call=dict(seed=3), inputs=dict(tokens=TOKENS),
        outputs=c.flat(params, "params/"), atol=1e-7, rtol=2e-6, note="Every initial value.")


if __name__ == "__main__":
  for prefix in ("model_gemma", "grad_gemma", "init_exact_gemma"):
    c.clear(prefix)
  prefix = c.normal(2, (2, 3, 8))
  ar = np.array([[0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0, 1, 1]]).cumsum(1)
  mask = ar[:, None, :] <= ar[:, :, None]
  record("model_gemma", SIZES, dict(tokens=TOKENS), "As many heads of keys as of queries.")
  record(
      "model_gemma_prefix", SHARED,
      dict(tokens=TOKENS, embedded_prefix=prefix, mask=mask, positions=np.tile(np.arange(8)[None] * 3, (2, 1)).astype(np.int32)),
      "In a loop: tokens after a prefix, a mask, and places of one's own.")
  record("model_gemma_embed", SHARED, dict(tokens=TOKENS, embedded_prefix=prefix), "What the blocks get.", dict(embed_only=True))
  gradient()
  init()
