"""Cases of kind `model` for models/vit: outputs, every intermediate, gradients."""

import common as c
from big_vision.models import vit
import jax
import jax.numpy as jnp
import numpy as np

SMALL = dict(num_classes=5, patch_size=[4, 4], width=16, depth=2, num_heads=2, mlp_dim=32)

# label: (constructor arguments, image shape, note)
FORWARD = {
    "gap": (dict(pool_type="gap"), (2, 12, 12, 3), "gap, learned posemb."),
    "map": (dict(pool_type="map"), (2, 12, 12, 3), "MAP head."),
    "tok": (dict(pool_type="tok"), (2, 12, 12, 3), "class token; the *_2d outputs leave it out."),
    "0": (dict(pool_type="0", depth=1), (2, 12, 12, 3), "first token."),
    "none": (dict(pool_type="none", depth=1), (2, 12, 12, 3), "no pooling: logits of every token."),
    "none_nohead": (dict(pool_type="none", num_classes=None, depth=1), (2, 12, 20, 3), "no pooling, no head: encoded tokens."),
    "gap_nohead_rep": (dict(num_classes=None, rep_size=12, depth=1), (2, 12, 20, 3), "no head, pre_logits of 12."),
    "sincos_gap": (dict(posemb="sincos2d", depth=1), (2, 12, 20, 3), "sincos2d on a 3x5 grid."),
    "sincos_tok_rep": (dict(posemb="sincos2d", pool_type="tok", rep_size=True), (2, 12, 12, 3),
                       "as vit_s16_i1k, with a class token: rep_size=True is tanh(dense(width))."),
    "map_rep": (dict(pool_type="map", rep_size=8, depth=1), (2, 12, 12, 3), "MAP head and pre_logits of 8."),
    "headinit": (dict(head_zeroinit=False, depth=1), (2, 12, 12, 3), "head_zeroinit=False changes init only."),
    "mlp_default": (dict(mlp_dim=None, depth=1), (2, 8, 8, 3), "mlp_dim None is 4 times the width."),
    "patch_4x2": (dict(patch_size=[4, 2], depth=1), (2, 8, 10, 1), "patches that are not square, one channel."),
    "remainder": (dict(depth=1), (2, 11, 15, 3), "VALID padding: what does not fill a patch is dropped."),
    "scan": (dict(scan=True), (2, 12, 12, 3), "stacked parameters; no pre_ln among the intermediates."),
    "scan_tok_depth3": (dict(scan=True, pool_type="tok", depth=3), (1, 8, 12, 3), "stacked, three blocks."),
    "bf16": (dict(dtype_mm="bfloat16"), (2, 12, 12, 3), "dtype_mm=bfloat16; compare loosely."),
    "mu4": (None, (2, 12, 12, 3), "a named variant."),
}

GRADS = {
    "gap": (dict(), "softmax_xent"),
    "map": (dict(pool_type="map"), "softmax_xent"),
    "tok": (dict(pool_type="tok"), "softmax_xent"),
    "sincos_rep_sigmoid": (dict(posemb="sincos2d", rep_size=True), "sigmoid_xent"),
    "scan_gap": (dict(scan=True), "softmax_xent"),
    "gap_bf16": (dict(dtype_mm="bfloat16"), "softmax_xent"),
    "tok_bf16": (dict(dtype_mm="bfloat16", pool_type="tok", depth=1), "softmax_xent"),
}


def make(args, image_shape, seed):
  model = vit.Model(**args)
  image = c.normal(seed, image_shape, 0.5)
  params = model.init(jax.random.PRNGKey(seed), image)["params"]
  return model, image, c.perturb(params, seed + 1)


def forward():
  for i, (label, (args, shape, note)) in enumerate(FORWARD.items()):
    args = dict(variant="mu/4", num_classes=4) if args is None else {**SMALL, **args}
    model, image, params = make(args, shape, 100 + i)
    y, out = jax.jit(lambda p, x, m=model: m.apply({"params": p}, x))(params, image)
    tolerance = dict(atol=0.05, rtol=0.05) if label == "bf16" else dict(atol=2e-5, rtol=1e-4)
    c.save_case(
        f"model_vit_{label}", kind="model", name="vit", args=args,
        inputs={"image": image, **c.flat(params, "params/")},
        outputs={"output": y, **c.flat(jax.device_get(out), "out/")}, note=note, **tolerance)


def gradients():
  for i, (label, (args, loss)) in enumerate(GRADS.items()):
    args = {**SMALL, **args}
    model, image, params = make(args, (3, 8, 8, 3), 200 + i)
    labels = c.onehot(200 + i, 3, 5) * np.float32(0.75) + c.onehot(300 + i, 3, 5) * np.float32(0.25)
    def loss_fn(params, image):
      logits, _ = model.apply({"params": params}, image, train=True)  # pylint: disable=cell-var-from-loop
      return getattr(c.u, loss)(logits=logits, labels=labels)  # pylint: disable=cell-var-from-loop
    value, (gp, gi) = jax.jit(jax.value_and_grad(loss_fn, argnums=(0, 1)))(params, image)
    # The gradient of a parameter that is stored in bfloat16 is in bfloat16 too.
    gp = jax.tree.map(lambda g: np.asarray(g, np.float32), gp)
    # Two roundings of one gradient: each is about 1 % (root mean square) from that in float32.
    tolerance = dict(atol=5e-3, rtol=5e-2) if label.endswith("bf16") else dict(atol=2e-5, rtol=1e-3)
    c.save_case(
        f"grad_vit_{label}", kind="model", name="vit", args=args, call=dict(kwargs=dict(train=True)), loss=loss,
        inputs={"image": image, "labels": labels, **c.flat(params, "params/")},
        outputs={"loss": value, **c.flat(jax.device_get(gp), "grad/"), "grad_image": gi},
        note="gradient of the mean loss, soft labels. That of key biases is zero up to rounding.", **tolerance)


def dropout():
  for i, (label, scan) in enumerate((("pyloop", False), ("scan", True))):
    args = dict(SMALL, dropout=0.25, scan=scan)
    model, image, params = make(args, (3, 8, 8, 3), 400 + i)
    labels = c.onehot(400 + i, 3, 5)
    rngs = {"dropout": jax.random.PRNGKey(7)}
    y, out = jax.jit(lambda p, x, m=model: m.apply({"params": p}, x, train=True, rngs=rngs))(params, image)
    def loss_fn(params):
      logits, _ = model.apply({"params": params}, image, train=True, rngs=rngs)  # pylint: disable=cell-var-from-loop
      return c.u.softmax_xent(logits=logits, labels=labels)  # pylint: disable=cell-var-from-loop
    value, grads = jax.jit(jax.value_and_grad(loss_fn))(params)
    c.save_case(
        f"grad_vit_dropout_{label}", kind="model", name="vit", args=args, loss="softmax_xent",
        call=dict(kwargs=dict(train=True), rngs=dict(dropout=7)),
        inputs={"image": image, "labels": labels, **c.flat(params, "params/")},
        outputs={"output": y, **c.flat(jax.device_get(out), "out/"), "loss": value,
                 **c.flat(jax.device_get(grads), "grad/")},
        note="dropout with rngs={'dropout': PRNGKey(7)}: the same masks as the original draws.",
        atol=2e-5, rtol=1e-3)


def functions():
  for h, w, width, temperature in ((2, 3, 8, 10_000.0), (14, 14, 32, 10_000.0), (4, 1, 16, 100.0)):
    c.save_case(
        f"model_sincos_{h}x{w}_{width}_{temperature:.0f}", kind="model", name="vit:posemb_sincos_2d",
        args=dict(h=h, w=w, width=width, temperature=temperature),
        outputs=dict(output=vit.posemb_sincos_2d(h, w, width, temperature)),
        note="sin x, cos x, sin y, cos y; y is the row.", atol=2e-6, rtol=1e-5)
  c.save_case(
      "model_variants", kind="model", name="vit:decode_variant",
      args=dict(variants=(names := ["mu", "Ti/16", "S/16", "B/32", "M/7", "L/14", "So400m/14", "H/14", "g/14", "g-opt/16",
                                    "G/14", "G-opt/16", "e/14"])),
      outputs={k: np.array([vit.decode_variant(n)[k] for n in names], np.int32)
               for k in ("width", "depth", "mlp_dim", "num_heads")},
      note="width, depth, mlp_dim, num_heads of each name; a number behind the slash is the patch size.")


if __name__ == "__main__":
  for prefix in ("model_vit_", "grad_vit_", "model_sincos_", "model_variants"):
    c.clear(prefix)
  forward()
  gradients()
  dropout()
  functions()
