"""Cases of kind `loss`: values, and gradients of the sum of the output."""

import common as c
from big_vision.evaluators.proj.distill import distance
import jax
import jax.numpy as jnp
import numpy as np


def record(label, name, fn, inputs, args, note, grad=("logits",), atol=1e-5, rtol=1e-4, key="output"):
  """Runs `fn(**inputs, **args)`; gradients are with respect to the inputs named in `grad`."""
  def call(diff, rest):
    return fn(**{**rest, **diff}, **args)
  diff = {k: inputs[k] for k in grad}
  rest = {k: v for k, v in inputs.items() if k not in grad}
  value = call(diff, rest)
  grads = jax.grad(lambda d: jnp.sum(call(d, rest)))(diff) if grad else {}
  c.save_case(f"loss_{label}", kind="loss", name=name, args=args, inputs=inputs,
              outputs={key: value, **c.flat(grads, "grad/")},
              note=note + (" grad/... is of the sum of the output." if grad else ""), atol=atol, rtol=rtol)


def main():
  c.clear("loss_")
  u = c.u
  logits = c.normal(0, (6, 7), 2.0)
  hard = c.onehot(1, 6, 7)
  soft = np.asarray(jax.nn.softmax(c.normal(2, (6, 7))))
  multi = (np.random.default_rng(3).random((6, 7)) < 0.3).astype(np.float32)
  extreme = np.array([[500., -500., 0.], [1e4, 1e4, -1e4], [-88., -104., 88.]], np.float32)

  for reduction in (True, False):
    r = "mean" if reduction else "none"
    args = dict(reduction=reduction)
    for kind, labels in (("hard", hard), ("soft", soft), ("multi", multi)):
      record(f"sigmoid_{kind}_{r}", "sigmoid_xent", u.sigmoid_xent, dict(logits=logits, labels=labels), args, kind + " labels.")
      record(f"softmax_{kind}_{r}", "softmax_xent", u.softmax_xent, dict(logits=logits, labels=labels), args, kind + " labels.")
    record(f"softmax_kl_{r}", "softmax_xent", u.softmax_xent, dict(logits=logits, labels=soft), dict(args, kl=True),
           "kl=True adds the negative entropy of the labels.")
    record(f"softmax_axis0_{r}", "softmax_xent", u.softmax_xent, dict(logits=logits, labels=soft), dict(args, axis=0),
           "over the first axis.")
    record(f"softmax_kl_axis1_{r}", "softmax_xent", u.softmax_xent,
           dict(logits=c.normal(4, (2, 5, 3)), labels=np.asarray(jax.nn.softmax(c.normal(5, (2, 5, 3)), axis=1))),
           dict(args, kl=True, axis=1), "over the middle axis, with the entropy.")
    record(f"sigmoid_3d_{r}", "sigmoid_xent", u.sigmoid_xent, dict(logits=c.normal(6, (2, 3, 4)), labels=c.onehot(6, (2, 3), 4)),
           args, "three dimensions.")
    tokens = dict(logits=c.normal(7, (3, 5, 6)), labels=np.random.default_rng(7).integers(0, 6, (3, 5)).astype(np.int32))
    weights = (np.random.default_rng(8).random((3, 5)) < 0.6).astype(np.float32)
    weights[2] = 0  # Nothing to learn from: must give 0, not NaN.
    record(f"weighted_plain_{r}", "weighted_softmax_xent", u.weighted_softmax_xent, tokens, args, "no weights.")
    record(f"weighted_weights_{r}", "weighted_softmax_xent", u.weighted_softmax_xent, dict(tokens, weights=weights), args,
           "weights, one row all zero.")
    record(f"weighted_smooth_{r}", "weighted_softmax_xent", u.weighted_softmax_xent, dict(tokens, weights=weights),
           dict(args, label_smoothing=0.1), "label smoothing: off value .1/(V-1).")
    record(f"weighted_nonorm_{r}", "weighted_softmax_xent", u.weighted_softmax_xent, dict(tokens, weights=weights),
           dict(args, normalize=False), "sums, not means, of a row.")

  record("sigmoid_extreme", "sigmoid_xent", u.sigmoid_xent, dict(logits=extreme, labels=np.eye(3, dtype=np.float32)),
         dict(reduction=False), "huge logits: no overflow.", atol=1e-2)
  record("softmax_extreme", "softmax_xent", u.softmax_xent, dict(logits=extreme, labels=np.eye(3, dtype=np.float32)),
         dict(reduction=False), "huge logits: no overflow.", atol=1e-2)
  record("softmax_kl_zeros", "softmax_xent", u.softmax_xent, dict(logits=logits, labels=hard), dict(reduction=False, kl=True),
         "zeros among the labels are clipped to 1e-8 inside the logarithm.")

  for label, labels, axis in (("row", soft[0], -1), ("column", soft[:, :1], -1), ("more", soft[None].repeat(2, 0), -2)):
    for kind, fn, args in (("sigmoid", u.sigmoid_xent, {}), ("softmax", u.softmax_xent, dict(kl=True, axis=axis))):
      record(f"{kind}_broadcast_{label}", f"{kind}_xent", fn, dict(logits=logits, labels=labels), dict(args, reduction=False),
             f"labels {list(labels.shape)} broadcast with logits [6, 7].")
  for label, labels, weights in (("labels", (3, 1), (1, 5)), ("4d", (3, 1, 2), (3, 5, 1))):
    record(f"weighted_broadcast_{label}", "weighted_softmax_xent", u.weighted_softmax_xent,
           dict(logits=c.normal(17, (3, 5, *labels[2:], 4)), labels=np.random.default_rng(17).integers(0, 4, labels).astype(np.int32),
                weights=np.random.default_rng(18).random(weights).astype(np.float32)), dict(reduction=False, label_smoothing=0.1),
           f"labels {list(labels)} broadcast; they are normalized by the sum of weights {list(weights)} alone.")
  record("weighted_broadcast_length", "weighted_softmax_xent", u.weighted_softmax_xent,
         dict(logits=c.normal(17, (3, 5, 4)), labels=np.array([[1], [3], [2]], np.int32)), dict(reduction=False),
         "a label for all tokens: normalized by the length of labels, 1.")

  unit = lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)
  zimg, ztxt = unit(c.normal(9, (6, 5))), unit(c.normal(10, (6, 5)))
  for label, inputs, reduction in (
      ("mean", dict(zimg=zimg, ztxt=ztxt, t=np.full(1, 10., np.float32)), True),
      ("none", dict(zimg=zimg, ztxt=ztxt, t=np.full(1, 10., np.float32)), False),
      ("mask_mean", dict(zimg=zimg, ztxt=ztxt, t=np.full(1, 10., np.float32), mask=np.array([1, 1, 0, 1, 0, 1], bool)), True),
      ("mask_none", dict(zimg=zimg, ztxt=ztxt, t=np.full(1, 10., np.float32), mask=np.array([1, 1, 0, 1, 0, 1], bool)), False),
      ("same", dict(zimg=zimg, ztxt=zimg, t=np.full(1, 3., np.float32)), True)):
    loss, extras = u.bidirectional_contrastive_loss(**inputs, reduction=reduction)
    grads = {}
    if "mask" not in inputs:
      grads = jax.grad(lambda d: jnp.sum(u.bidirectional_contrastive_loss(**d, reduction=reduction)[0]))(inputs)  # pylint: disable=cell-var-from-loop
    c.save_case(f"loss_contrastive_{label}", kind="loss", name="bidirectional_contrastive_loss",
                args=dict(reduction=reduction), inputs=inputs,
                outputs={"loss": loss, "ncorrect": extras["ncorrect"], **c.flat(grads, "grad/")},
                note="both directions, halved." + ("" if grads == {} else " grad/... is of the sum of the loss."),
                atol=1e-5, rtol=1e-4)

  labels = np.array([0, 3, 4, 2, 9, -1], np.int32)
  for label, args in (("plain", dict(num_classes=5)), ("on_off", dict(num_classes=5, on_value=0.9, off_value=0.025))):
    record(f"onehot_{label}", "onehot", u.onehot, dict(labels=labels), args, "out of range: all off.", grad=())
  record("onehot_one_class", "onehot", u.onehot, dict(labels=np.array([-1, 0, 1, 0], np.int32)), dict(num_classes=1), "one class.",
         grad=())
  record("onehot_scalar", "onehot", u.onehot, dict(labels=np.int32(2)), dict(num_classes=4), "a label alone gives one row.", grad=())
  record("onehot_2d", "onehot", u.onehot, dict(labels=np.array([[1, 2], [0, 3]], np.int32)), dict(num_classes=4),
         "two dimensions.", grad=())

  maps = dict(student=c.normal(15, (4, 3, 2)), teacher=c.normal(16, (4, 3, 2)))
  record("distill_agree_axis0", "distill/dist", distance.dist, maps, dict(kind="agree", k=2, feat_axis=0), "over the first axis.",
         grad=())

  image = c.normal(11, (4, 3, 3, 2))
  for p, seed in ((0.2, 0), (0.2, 5), (1.0, 1)):
    rng = jax.random.PRNGKey(seed)
    rng_out, (mixed_image, mixed_labels), more = u.get_mixup(rng, p)(image, hard[:4], extra=logits[:4])
    a = jax.random.beta(jax.random.split(rng)[1], p, p)
    a = jnp.maximum(a, 1.0 - a)
    c.save_case(f"loss_mixup_a_{p}_{seed}", kind="loss", name="mixup", args=dict(p=p),
                inputs=dict(a=a, image=image, labels=hard[:4], extra=logits[:4]),
                outputs=dict(image=mixed_image, labels=mixed_labels, extra=more["extra"]),
                note="`a` is the weight that was drawn; the partner is roll(+1) along the batch.", atol=1e-6, rtol=1e-5)
    c.save_case(f"loss_mixup_key_{p}_{seed}", kind="loss", name="mixup:key", args=dict(p=p, seed=seed),
                inputs=dict(image=image, labels=hard[:4]),
                outputs=dict(image=mixed_image, labels=mixed_labels, rng=rng_out),
                note="get_mixup(PRNGKey(seed), p)(image, labels), from the key alone; rng is the key it returns "
                "(uint32 bits as int32).", atol=1e-5, rtol=1e-5, tolerances=dict(rng=dict(atol=0, rtol=0)))

  images, labels = c.normal(12, (8, 2, 2, 3)), c.onehot(12, 8, 4)
  params = {"w": c.normal(13, (12, 4), 0.3), "b": c.normal(14, (4,), 0.1)}
  def loss_fn(p, x, y):
    return u.softmax_xent(logits=x.reshape(len(x), -1) @ p["w"] + p["b"], labels=y)
  for steps in (1, 2, 4):
    value, grads = u.accumulate_gradient(jax.value_and_grad(loss_fn), params, images, labels, steps)
    c.save_case(f"loss_accumulate_{steps}", kind="loss", name="accumulate_gradient", args=dict(accum_steps=steps),
                inputs={"image": images, "labels": labels, **c.flat(params, "params/")},
                outputs={"loss": value, **c.flat(grads, "grad/")},
                note="linear softmax_xent model (w, b) on flattened images.", atol=1e-5, rtol=1e-4)


if __name__ == "__main__":
  main()
