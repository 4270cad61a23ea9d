"""PaliGemma: kind `model`, logits and the gradients of its loss, for images and for videos; and decoding with a cache."""

import common as c
from big_vision.models.ppp import gemma
from big_vision.models.proj.paligemma import paligemma
from big_vision.trainers.proj.paligemma import predict_fns
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


IMAGES = c.normal(3, (3, 4, 4, 3))
# Prompts of 5, 2 and 3 words; the second has begun to answer.
PROMPTS = dict(
    text=np.array([[2, 5, 7, 3, 8], [2, 6, 0, 0, 0], [2, 9, 4, 0, 0]], np.int32),
    mask_ar=np.array([[0, 0, 0, 0, 0], [0, 1, 1, 1, 1], [0, 0, 0, 1, 1]], np.int32),
    mask_input=np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0]], np.int32))


# Each goes on until its limit, or until all examples that count have an end.
CALLS = dict(
    greedy=dict(method="decode_with_logp", max_decode_len=6, eos_token=1),
    ended=dict(method="decode_with_logp", max_decode_len=6, eos_token=6, best_of_n=2),
    beam=dict(method="beam_decode", max_decode_len=5, eos_token=1, beam_size=3),
    beam_ended=dict(method="beam_decode", max_decode_len=5, eos_token=10, beam_size=2))


def record_decoding():
  """Logits after the prompt and after each of some words, and what the predict functions answer."""
  model = paligemma.Model(
      img=mlc.FrozenConfigDict(IMG), llm=mlc.FrozenConfigDict(dict(LLM, variant="tiny", cache_dtype="bfloat16")))
  inputs = dict(image=IMAGES, text=PROMPTS["text"], mask_ar=PROMPTS["mask_ar"])
  params = jax.device_get(jax.jit(lambda k: model.init(k, **inputs)["params"])(jax.random.PRNGKey(2)))
  # Otherwise each word would be followed by itself.
  rng = np.random.default_rng(1)
  params["llm"] = jax.tree.map(lambda x: x + rng.normal(0, 1, x.shape).astype(np.float32), params["llm"])

  batch = dict(image=IMAGES, **PROMPTS)
  jitted = {k: jnp.asarray(v) for k, v in batch.items()}
  mask = np.array([1, 1, 0], np.float32)
  words = np.array([[3, 1, 4], [1, 5, 9], [2, 6, 5]], np.int32)
  logits, cache = predict_fns._prefill_cache(params, jitted, model=model, max_decode_len=4)
  outputs = {"logits/0": logits[:, 0]}
  for i in range(words.shape[1]):
    logits, cache = predict_fns._extend_cache(params, cache, words[:, i:i + 1], model=model)
    outputs[f"logits/{i + 1}"] = logits[:, 0]
  for name, call in CALLS.items():
    kw = {k: v for k, v in call.items() if k != "method"}
    predict = predict_fns.get_all(model)[call["method"]]
    result = predict({"params": params}, dict(jitted, _mask=jnp.asarray(mask > 0)), devices=jax.devices(), **kw)
    tokens, *logp = result if isinstance(result, tuple) else (result,)
    outputs[f"{name}/tokens"] = tokens
    if logp:
      outputs[f"{name}/logp"] = logp[0]
  print({k: v for k, v in outputs.items() if "tokens" in k})
  c.save_case(
      "model_paligemma_decode", kind="model", name="proj/paligemma/predict_fns",
      args=dict(img=IMG, llm_model="ppp.gemma", llm=dict(SIZES, **LLM, cache_dtype="bfloat16")), calls=CALLS,
      inputs={**batch, "_mask": mask, "words": words, **c.flat(params, "params/")}, outputs=outputs, atol=1e-4, rtol=1e-3,
      note="Prompts of different lengths; nobody waits for the last example.")


def record_samplers():
  logits = c.normal(7, (4, 9), 3.0)
  key = jax.random.PRNGKey(11)
  nucleus = lambda p, t: predict_fns._nucleus_sampling(p, t, logits=logits, rng=key)
  c.save_case(
      "model_paligemma_samplers", kind="model", name="proj/paligemma/predict_fns:samplers", call=dict(rngs=dict(sampler=11)),
      args=dict(samplers=["greedy", "temperature(0.7)", "nucleus(0.4)", "nucleus(0.9, t=2.0)", "nucleus(p=1.0, t=5.0)"]),
      inputs=dict(logits=logits),
      outputs={
          "0": predict_fns._greedy_sampling(logits=logits, rng=key),
          "1": predict_fns._temperature_sampling(0.7, logits=logits, rng=key),
          "2": nucleus(0.4, 1.0), "3": nucleus(0.9, 2.0), "4": nucleus(1.0, 5.0)},
      note="One word for each row of logits.")


if __name__ == "__main__":
  c.clear("model_paligemma")
  record("model_paligemma", c.normal(1, (2, 4, 4, 3)), "A prefix that sees itself; label smoothing of 0.1; one example without loss.")
  record("model_paligemma_video", c.normal(2, (2, 3, 4, 2, 3)), "Three frames.")
  record_decoding()
  record_samplers()
