"""Cases of kinds `model` and `init_exact` for the text transformer, two_towers and one_tower."""

import common as c
from big_vision.models.proj.clippo import one_tower
from big_vision.models.proj.image_text import text_transformer
from big_vision.models.proj.image_text import two_towers
import jax
import jax.numpy as jnp
import numpy as np

TEXT = dict(width=8, depth=1, num_heads=2, mlp_dim=16, vocab_size=20)
IMAGE = dict(width=8, depth=1, num_heads=2, mlp_dim=16, patch_size=[4, 4], pool_type="map", head_zeroinit=False)
TEXT_NAME = "proj/image_text/text_transformer"
TWO_NAME = "proj/image_text/two_towers"
ONE_NAME = "proj/clippo/one_tower"

TEXTS = {
    **{f"pool_{p}": (dict(num_classes=5, pool_type=p), f"pool_type={p}.")
       for p in ("last", "gap", "gmp", "map")},
    "nohead": (dict(num_classes=None), "no head: the pooled representation."),
    "variant": (dict(num_classes=5, variant="mu", width=8, depth=None, num_heads=None, mlp_dim=16, vocab_size=10),
                "sizes of a variant, some of them overridden."),
    "scan": (dict(num_classes=5, depth=2, scan=True), "stacked blocks."),
    "no_blocks": (dict(num_classes=5, depth=0, mlp_dim=0), "no blocks; an mlp_dim of 0 is 4 times the width."),
    "outside": (dict(num_classes=5, depth=0), "ids outside of the vocabulary give NaN; negative ones count from its end."),
    "one_word": (dict(num_classes=5, depth=0, vocab_size=1), "with one word all ids are that word."),
}


def tokens(seed, shape, size=20):
  return np.random.default_rng(seed).integers(0, size, shape).astype(np.int32)


def forward(model, params, *inputs, **kw):
  return jax.device_get(jax.jit(lambda p: model.apply({"params": p}, *inputs, **kw))(params))


def texts():
  for i, (label, (args, note)) in enumerate(TEXTS.items()):
    args = {k: v for k, v in {**TEXT, **args}.items() if v is not None or k == "num_classes"}
    text = tokens(500 + i, (3, 6), args["vocab_size"])
    if label in ("outside", "one_word"):
      text[:2, 2:4] = [[-1, -20], [20, -21]]
    model = text_transformer.Model(**args)
    params = c.perturb(model.init(jax.random.PRNGKey(i), text)["params"], 500 + i)
    y, out = forward(model, params, text)
    c.save_case(
        f"model_text_{label}", kind="model", name=TEXT_NAME, args=args,
        inputs={"text": text, **c.flat(params, "params/")},
        outputs={"output": y, **c.flat(out, "out/")}, note=note, atol=2e-5, rtol=1e-4)


def text_gradient():
  args = dict(TEXT, num_classes=5, depth=2, pool_type="gmp")
  text, labels = tokens(520, (3, 6)), c.onehot(520, 3, 5)
  model = text_transformer.Model(**args)
  params = c.perturb(model.init(jax.random.PRNGKey(20), text)["params"], 520)
  def loss_fn(p):
    return c.u.softmax_xent(logits=model.apply({"params": p}, text, train=True)[0], labels=labels)
  # Not compiled: compiled, the maximum may be of numbers that differ in their last bit from those it is compared with.
  value, grads = jax.value_and_grad(loss_fn)(params)
  c.save_case(
      "grad_text_gmp", kind="model", name=TEXT_NAME, args=args, call=dict(kwargs=dict(train=True)), loss="softmax_xent",
      inputs={"text": text, "labels": labels, **c.flat(params, "params/")},
      outputs={"loss": value, **c.flat(jax.device_get(grads), "grad/")}, note="gradient through a maximum over tokens.",
      atol=2e-5, rtol=1e-3)


def pair_loss(name):
  def siglip(zimg, ztxt, out):
    logits = jnp.dot(zimg, ztxt.T) * out["t"] + out["b"]
    signs = 2 * jnp.eye(zimg.shape[0]) - 1
    return -jax.nn.log_sigmoid(signs * logits).sum(-1).mean()
  def contrastive(zimg, ztxt, out):
    return c.u.bidirectional_contrastive_loss(zimg, ztxt, out["t"], reduction=True)[0]
  return dict(siglip=siglip, bidirectional_contrastive=contrastive)[name]


def towers():
  both = dict(image=IMAGE, text=TEXT)
  cases = {
      "two_bias": (TWO_NAME, dict(both, out_dim=6, temperature_init=10.0, bias_init=-10.0), "siglip",
                   "temperature and bias."),
      "two_nobias": (TWO_NAME, dict(both, out_dim=[6, 6]), "bidirectional_contrastive", "no bias; out_dim of each tower."),
      "two_lit": (TWO_NAME, dict(image={**IMAGE, "pool_type": "tok"}, text={**TEXT, "pool_type": "map"},
                                 out_dim=[None, 8], temperature_init=10.0, bias_init=-2.71), "siglip",
                  "no head on the image side."),
      "one": (ONE_NAME, dict(image=IMAGE, out_dim=6), "bidirectional_contrastive", "images and pictures of texts."),
      "two_pictures": (TWO_NAME, dict(image={**IMAGE, "depth": 0}, text={**IMAGE, "depth": 0}, text_model="vit", out_dim=6),
                       None, "a ViT for pictures of texts."),
  }
  for i, (label, (name, args, loss, note)) in enumerate(cases.items()):
    model = (two_towers if name == TWO_NAME else one_tower).Model(**{
        **args, **({"out_dim": tuple(args["out_dim"])} if isinstance(args["out_dim"], list) else {})})
    image = c.normal(600 + i, (4, 8, 8, 3), 0.5)
    pictures = name == ONE_NAME or "text_model" in args
    text = c.normal(700 + i, (4, 8, 8, 3), 0.5) if pictures else tokens(600 + i, (4, 6))
    params = c.perturb(model.init(jax.random.PRNGKey(i), image, text)["params"], 600 + i)
    zimg, ztxt, out = forward(model, params, image, text)
    if label in ("two_bias", "one", "two_pictures"):
      c.save_case(
          f"model_towers_{label}", kind="model", name=name, args=args,
          inputs={"image": image, "text": text, **c.flat(params, "params/")},
          outputs={"zimg": zimg, "ztxt": ztxt, **{f"out/{k}": v for k, v in out.items() if not isinstance(v, dict)}},
          note=note, atol=2e-5, rtol=1e-4)
    if loss is None:
      continue
    def loss_fn(p):
      return pair_loss(loss)(*model.apply({"params": p}, image, text, train=True))  # pylint: disable=cell-var-from-loop
    value, grads = jax.jit(jax.value_and_grad(loss_fn))(params)
    c.save_case(
        f"grad_towers_{label}", kind="model", name=name, args=args, call=dict(kwargs=dict(train=True)), loss=loss,
        inputs={"image": image, "text": text, **c.flat(params, "params/")},
        outputs={"loss": value, **c.flat(jax.device_get(grads), "grad/")}, note=f"gradient of the {loss} loss of pairs.",
        atol=2e-5, rtol=1e-3)


def inits():
  image, text = jnp.zeros((1, 8, 8, 3)), jnp.zeros((1, 6), jnp.int32)
  two = dict(image=IMAGE, text={**TEXT, "scan": True, "depth": 2}, out_dim=6, temperature_init=10.0, bias_init=-10.0)
  for label, name, args, model, inputs in (
      ("text_map", TEXT_NAME, {**TEXT, "num_classes": 5, "pool_type": "map"}, text_transformer, dict(text=text)),
      ("towers_two", TWO_NAME, two, two_towers, dict(image=image, text=text)),
      ("towers_one", ONE_NAME, dict(image=IMAGE, out_dim=6), one_tower, dict(image=image, text=image))):
    params = model.Model(**args).init(jax.random.PRNGKey(5), **inputs)["params"]
    c.save_case(f"init_exact_{label}", kind="init_exact", name=name, args=args, call=dict(seed=5), inputs=inputs,
                outputs=c.flat(params, "params/"), note="model.init(PRNGKey(5), ...)", atol=2e-6, rtol=2e-6)


if __name__ == "__main__":
  for prefix in ("model_text_", "model_towers_", "grad_towers_", "grad_text_", "init_exact_text", "init_exact_towers"):
    c.clear(prefix)
  texts()
  text_gradient()
  towers()
  inits()
