"""Cases of kind `evaluator`: classification, with padding and examples without a label; and functions on trees."""

import json

import common as c
import big_vision.utils as u
from big_vision.evaluators import classification
from big_vision.evaluators import common as eval_common
from big_vision.models import vit
import jax
import numpy as np


def evaluate(predict, state, data, batch_size, loss_name):
  """The original's Evaluator on batches of `data`; also what it got of each batch."""
  n = len(data["_mask"])
  batches = [{k: v[i:i + batch_size] for k, v in data.items()} for i in range(0, n, batch_size)]
  eval_common.eval_input_pipeline = lambda **kw: (lambda: iter([dict(b) for b in batches]), len(batches))
  evaluator = classification.Evaluator(predict, loss_name)
  out = {k: np.float32(v) for k, v in evaluator.run(state)}
  parts = []
  for batch in batches:
    batch = dict(batch)
    labels, mask = batch.pop("labels"), batch.pop("_mask")
    parts.append(jax.device_get(evaluator.eval_fn(state, batch, labels, mask)))
  for name, values in zip(("ncorrect", "loss", "nseen"), zip(*parts)):
    out[f"batch/{name}"] = np.array(values, np.float32)
  return out


def identity(state, batch):
  del state
  return batch["logits"], {}


def main():
  c.clear("eval_cls_")
  n, classes, batch_size = 24, 6, 8
  rng = np.random.default_rng(0)
  logits = c.normal(0, (n, classes), 2.0)
  hard = c.onehot(1, n, classes)
  hard[[2, 9]] = 0  # No label (as in ReaL): not counted.
  multi = (rng.random((n, classes)) < 0.3).astype(np.float32)
  multi[5] = 0
  mask = np.ones(n, np.float32)
  mask[-5:] = 0
  padded = {"logits": np.where(mask[:, None] > 0, logits, 0).astype(np.float32), "_mask": mask}
  ties = dict(padded, logits=np.round(padded["logits"]).astype(np.float32))
  soft = np.asarray(jax.nn.softmax(c.normal(3, (n, classes))))
  for label, data, loss in (
      ("softmax", dict(padded, labels=hard), "softmax_xent"),
      ("sigmoid", dict(padded, labels=hard), "sigmoid_xent"),
      ("multi_sigmoid", dict(padded, labels=multi), "sigmoid_xent"),
      ("multi_softmax", dict(padded, labels=multi), "softmax_xent"),
      ("ties", dict(ties, labels=hard), "softmax_xent"),
      ("soft", dict(padded, labels=soft), "softmax_xent"),
      ("full", dict(logits=logits, labels=c.onehot(4, n, classes), _mask=np.ones(n, np.float32)), "softmax_xent")):
    note = {"soft": "labels that are not 0 or 1: the mask is multiplied by the largest of them, and a hit counts its label. ",
            "ties": "equal logits: the first wins. "}.get(label, "")
    c.save_case(f"eval_cls_{label}", kind="evaluator", name="classification",
                args=dict(batch_size=batch_size, loss_name=loss), inputs=data,
                outputs=evaluate(identity, {}, data, batch_size, loss),
                note=note + "The model is the identity on `logits`; batch/... are the sums of each batch.", atol=1e-5, rtol=1e-4)

  args = dict(num_classes=classes, patch_size=[4, 4], width=8, depth=1, num_heads=2, mlp_dim=16, head_zeroinit=False)
  model = vit.Model(**args)
  image = c.normal(5, (11, 8, 8, 3), 0.5)
  params = c.perturb(model.init(jax.random.PRNGKey(0), image)["params"], 1)
  pad = lambda x: np.concatenate([x, np.zeros((5,) + x.shape[1:], x.dtype)])
  data = dict(image=pad(image), labels=pad(c.onehot(6, 11, classes)), _mask=pad(np.ones(11, np.float32)))
  predict = lambda state, batch: model.apply({"params": state["params"]}, batch["image"])
  c.save_case("eval_cls_vit", kind="evaluator", name="classification",
              args=dict(batch_size=batch_size, loss_name="softmax_xent", model="vit", model_args=args),
              inputs={**data, **c.flat(params, "params/")},
              outputs=evaluate(predict, {"params": params}, data, batch_size, "softmax_xent"),
              note="a ViT on images; the last five are padding.", atol=2e-5, rtol=1e-4)


def trees():
  """Names that fall together, and what Python's regular expressions and templates can say."""
  def record(label, name, args, result):
    c.save_case(f"eval_tree_{label}", kind="evaluator", name=f"utils:{name}", args=args, string_outputs=["result"],
                outputs=dict(result=json.dumps(result, sort_keys=True)), note="result is JSON.")

  keys, values = ["a/b", "a/b", "c", "c/d", "c"], [1, 2, 3, 4, 5]
  record("recover_twice", "recover_tree", dict(keys=keys, values=values), u.recover_tree(keys, values))
  tree = {"enc": {"block_0": {"kernel": 1}, "block_1": {"kernel": 2}}, "head": {"kernel": 3}, "step": 4}
  for label, replacements in (
      ("named", {r"(?P<part>enc)/block_(?P<i>\d)": r"\g<part>oder/\g<i>"}), ("flags", {"(?i)ENC/": "", r"head/kernel\Z": "head"}),
      ("same", {r".*kernel": "all"}), ("escapes", {"step": r"a\tb\\c"})):
    record(f"replace_{label}", "tree_replace", dict(tree=tree, replacements=replacements), u.tree_replace(tree, replacements))


if __name__ == "__main__":
  main()
  c.clear("eval_tree_")
  trees()
