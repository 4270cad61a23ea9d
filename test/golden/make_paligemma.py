"""PaliGemma: kind `model`, logits and the gradients of its loss, for images and for videos."""

import common as c
from big_vision.models.ppp import gemma
from big_vision.models.proj.paligemma import paligemma
import jax
import jax.numpy as jnp
import ml_collections as mlc
import numpy as np

SIZES = dict(
    width=8, depth=2, mlp_dim=12, num_heads=4, num_kv_heads=2, head_dim=4, norm_eps=1e-6, vocab_size=11,
    final_logits_softcap=5.0, attn_logits_softcap=3.0, post_norms=True)
IMG = dict(width=6, depth=1, mlp_dim=8, num_heads=2, patch_size=[2, 2], pool_type="none", head_zeroinit=False)
LLM = dict(scan=True, remat_policy="nothing_saveable")

# The original has no variant of this size, and takes no sizes.
named = gemma.get_config
gemma.get_config = lambda variant: mlc.ConfigDict(dict(SIZES, variant="tiny", **LLM)) if variant == "tiny" else named(variant)


def record(name, image, note):
  model = paligemma.Model(img=mlc.ConfigDict(IMG), llm=mlc.ConfigDict(dict(LLM, variant="tiny")))
  text = np.random.default_rng(0).integers(0, 11, (2, 6)).astype(np.int32)
  mask_ar = np.array([[0, 0, 1, 1, 1], [0, 0, 0, 0, 1]], np.int32)
  weights = np.array([[0, 1, 1, 1, 0], [0, 0, 0, 0, 0]], np.float32)
  inputs = dict(image=image, text=text[:, :-1], mask_ar=mask_ar)
  params = c.perturb(jax.jit(lambda k: model.init(k, **inputs)["params"])(jax.random.PRNGKey(0)), 1)

  def loss_fn(params):
    logits, _ = model.apply({"params": params}, **inputs, train=True)
    targets = jnp.where(jax.nn.one_hot(text[:, 1:], 11) == 1.0, 0.9, 0.1 / 10)
    each = jnp.sum(jax.nn.log_softmax(logits) * targets, -1) * weights
    return jnp.mean(-jnp.sum(each, -1) / jnp.clip(jnp.sum(weights, -1), 1))

  logits, out = model.apply({"params": params}, **inputs)
  loss, grads = jax.value_and_grad(loss_fn)(params)
  grads = {k: v for k, v in c.flat(grads, "grad/").items() if not k.endswith("/key/bias")}
  kept = ("img/zimg", "llm/ztxt", "llm/encoded", "attn_mask", "text_logits", "text_tokens")
  c.save_case(
      name, kind="model", name="proj/paligemma/paligemma",
      args=dict(img=IMG, llm_model="ppp.gemma", llm=dict(SIZES, **LLM)), loss="paligemma",
      inputs={**inputs, "targets": text[:, 1:], "weights": weights, **c.flat(params, "params/")},
      outputs={"output": logits, **{f"out/{k}": out[k] for k in kept}, "loss": loss, **grads},
      atol=2e-5, rtol=5e-4, note=note)


if __name__ == "__main__":
  c.clear("model_paligemma")
  record("model_paligemma", c.normal(1, (2, 4, 4, 3)), "A prefix that sees itself; label smoothing of 0.1; one example without loss.")
  record("model_paligemma_video", c.normal(2, (2, 3, 4, 2, 3)), "Three frames.")
