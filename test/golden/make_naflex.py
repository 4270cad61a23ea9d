"""Cases of the ViT for images of any aspect, models/proj/image_text/naflex_vit: outputs, intermediates, gradients."""

import common as c
from big_vision.models.proj.image_text import naflex_vit
import jax
import numpy as np

NAME = "proj/image_text/naflex_vit"
SMALL = dict(num_classes=3, width=8, depth=1, num_heads=2, mlp_dim=16, nposemb=4)
# Sizes in patches of each example: one smaller than the grid of positions, one larger, one as wide as it can be.
SIZES = ((2, 3), (5, 2), (1, 9))
# label: (constructor arguments, sizes, note)
FORWARD = {
    "gap": (dict(), SIZES, "mean of what is no padding; the default canvas."),
    "none_nohead": (dict(pool_type="none", num_classes=None), SIZES, "every token."),
    "canvas": (dict(posemb="learn_2d(6)", nposemb=3, rep_size=5), ((4, 2), (6, 1), (3, 3)), "as large as the canvas; pre_logits of 5."),
    "bf16": (dict(dtype_mm="bfloat16"), SIZES, "dtype_mm=bfloat16; compare loosely."),
}
GRADS = {
    "gap": dict(pool_type="gap", head_zeroinit=False),
    "max": dict(pool_type="max", patchln_pre=True),
    "map_scan": dict(pool_type="map", scan=True, patchln_post=True),
}


def image(seed, sizes, values=12):
  """Patches padded to one length, their types, rows and columns."""
  rng = np.random.default_rng(seed)
  length = max(h * w for h, w in sizes) + 1
  parts = [np.zeros((len(sizes), length, values), np.float32)] + [np.zeros((len(sizes), length), np.int32) for _ in range(3)]
  for i, (h, w) in enumerate(sizes):
    patches, kind, rows, columns = (part[i] for part in parts)
    patches[:h * w] = rng.normal(size=(h * w, values)) * 0.5
    kind[:h * w] = 1
    rows[:h * w], columns[:h * w] = np.mgrid[:h, :w].reshape(2, -1)
  return tuple(parts)


def make(args, sizes, seed):
  model = naflex_vit.Model(**args)
  x = image(seed, sizes)
  return model, x, c.perturb(model.init(jax.random.PRNGKey(seed), x)["params"], seed + 1)


def inputs(x, params):
  return {**{f"image/{i}": part for i, part in enumerate(x)}, **c.flat(params, "params/")}


def main():
  for i, (label, (args, sizes, note)) in enumerate(FORWARD.items()):
    args = {**SMALL, **args}
    model, x, params = make(args, sizes, 10 + i)
    y, out = jax.jit(lambda p, x, m=model: m.apply({"params": p}, x))(params, x)
    tolerance = dict(atol=0.05, rtol=0.05) if label == "bf16" else dict(atol=2e-5, rtol=1e-4)
    c.save_case(f"model_naflex_{label}", kind="model", name=NAME, args=args, inputs=inputs(x, params),
                outputs={"output": y, **(c.flat(jax.device_get(out), "out/") if label in ("gap", "canvas") else {})},
                note=note, **tolerance)

  for i, (label, args) in enumerate(GRADS.items()):
    args = {**SMALL, **args}
    model, x, params = make(args, SIZES, 30 + i)
    labels = c.onehot(30 + i, len(SIZES), 3)
    def loss_fn(params):
      logits, _ = model.apply({"params": params}, x, train=True)  # pylint: disable=cell-var-from-loop
      return c.u.softmax_xent(logits=logits, labels=labels)  # pylint: disable=cell-var-from-loop
    loss, grads = jax.jit(jax.value_and_grad(loss_fn))(params)
    c.save_case(f"grad_naflex_{label}", kind="model", name=NAME, args=args, call=dict(kwargs=dict(train=True)),
                loss="softmax_xent", inputs={**inputs(x, params), "labels": labels},
                outputs={"loss": loss, **c.flat(jax.device_get(grads), "grad/")},
                note="gradient of the mean loss, that of the positions through their resizing.", atol=2e-5, rtol=1e-3)

  args = dict(SMALL, pool_type="map", head_zeroinit=False)
  x = image(0, ((1, 2),))
  params = naflex_vit.Model(**args).init(jax.random.PRNGKey(3), x)["params"]
  c.save_case("init_exact_naflex", kind="init_exact", name=NAME, args=args, call=dict(seed=3),
              inputs={f"image/{i}": part for i, part in enumerate(x)}, outputs=c.flat(params, "params/"),
              note="parameters of model.init.", atol=1e-6, rtol=1e-5)


if __name__ == "__main__":
  for prefix in ("model_naflex_", "grad_naflex_", "init_exact_naflex"):
    c.clear(prefix)
  main()
