"""Cases of kind `model`, name `vit:load`: npz checkpoints of every age, and what becomes of them.

Beside the three usual files such a case has `checkpoint.npz`, written as the original wrote its
checkpoints: np.savez of the flattened tree, names joined by slashes. Outputs: the logits after
loading, the names of all loaded parameters (one a line), and those of them that loading may change.
"""

import json
import re

import common as c
from big_vision.models import vit
import flax
import jax
import jax.numpy as jnp
import numpy as np

SMALL = dict(num_classes=5, patch_size=[4, 4], width=8, depth=1, num_heads=2, mlp_dim=16, head_zeroinit=False)


def make_params(args, image_shape=(2, 8, 8, 3), seed=0):
  params = vit.Model(**args).init(jax.random.PRNGKey(seed), np.zeros(image_shape, np.float32))["params"]
  return c.perturb(flax.core.unfreeze(params), seed + 1)


def save_checkpoint(path, tree, compressed=True):
  """What utils.save_checkpoint did, before Tensorstore."""
  names_and_vals, _ = c.u.tree_flatten_with_names(tree)
  (np.savez_compressed if compressed else np.savez)(path, **{k: np.asarray(v) for k, v in names_and_vals})


def record(label, tree, args, note, *, init_args=None, image_shape=(2, 8, 8, 3), key="", dont_load=(), compressed=True,
           atol=1e-5, rtol=1e-5):
  """Loads `tree` into a model of `args` (of other parameters) the way that train.py does."""
  args = {**args, **(init_args or {})}
  model = vit.Model(**args)
  # Zeros (which deflate) but for the head, which some cases keep.
  init = jax.tree.map(np.zeros_like, make_params(args, image_shape))
  init["head"] = make_params(args, image_shape, seed=100)["head"]
  image = c.normal(7, image_shape, 0.5)
  inputs = {"image": image, **c.flat(init, "init/")}
  case = dict(kind="model", name="vit:load", inputs=inputs, note=note,
              args=dict(model=args, init_file="checkpoint.npz" + key, dont_load=list(dont_load)))
  path = c.save_case(f"load_{label}", outputs={}, **case)
  save_checkpoint(path / "checkpoint.npz", tree, compressed)
  data = (path / "checkpoint.npz").read_bytes()
  try:
    params = vit.load(init, str(path / "checkpoint.npz") + key, args, dont_load)
  except Exception as e:  # pylint: disable=broad-exception-caught
    message = str(e).replace(str(path) + "/", "")
    outputs = dict(error=json.dumps({"error": type(e).__name__, "message": message}))
    path = c.save_case(f"load_{label}", outputs=outputs, string_outputs=["error"], **case)
  else:
    logits, _ = model.apply({"params": params}, image)
    params = c.flat(jax.device_get(params), "params/")
    outputs = {"names": "\n".join(params), "logits": logits}
    outputs.update({k: v for k, v in params.items() if k.split("/")[1] in ("pos_embedding", "cls", "head")})
    path = c.save_case(f"load_{label}", outputs=outputs, string_outputs=["names"], atol=atol, rtol=rtol, **case)
  (path / "checkpoint.npz").write_bytes(data)


def copy(tree):
  return jax.tree.map(np.array, tree)


def main():
  c.clear("load_")
  gap, tok, map_ = SMALL, dict(SMALL, pool_type="tok"), dict(SMALL, pool_type="map")
  gap_params, tok_params, map_params = make_params(gap), make_params(tok), make_params(map_)

  record("params_only", gap_params, gap, "the parameters alone, as many public checkpoints.", compressed=False)
  record("optax_state", {
      "params": gap_params,
      "opt": {"0": {"1": {"count": np.int32(3), "mu": {"head": {"kernel": jnp.ones((8, 5), jnp.bfloat16)}}}}},
      "chrono": {"accum_train_time": 1.5, "accum_examples_seen": 4096}}, gap,
         "params/... beside the optimizer state (with a bfloat16 moment, which numpy stores as |V2).", compressed=False)
  record("flax_optimizer", {"opt": {"target": gap_params, "state": {"step": np.int32(5)}}, "extra": np.zeros(2)}, gap,
         "opt/target/... of the Flax optimizers.")
  record("subtree", {"params": {"img": gap_params, "txt": {"head": {"bias": np.zeros(3, np.float32)}}, "t": np.ones(1)}}, gap,
         "the image tower of a two-tower checkpoint, by file.npz:img.", key=":img")
  record("subtree_deep", {"towers": {"img": {"vit": gap_params}}}, gap, "a deeper subtree.", key=":towers/img/vit")
  record("subtree_missing", {"params": {"img": gap_params}}, gap, "a subtree that is not there: must fail.", key=":image")
  record("bfloat16", {"params": jax.tree.map(lambda x: jnp.asarray(x, jnp.bfloat16), gap_params)}, gap,
         "bfloat16 parameters (|V2); they stay bfloat16 and are widened here.", atol=1e-4, rtol=1e-4)

  old = copy(tok_params)
  old["Transformer"]["posembed_input"] = {"pos_embedding": old.pop("pos_embedding")}
  record("old_posembed_input", old, tok, "position embedding in a module of its own.")
  old = copy(gap_params)
  old["Transformer"]["pos_embedding"] = old.pop("pos_embedding")
  record("old_posemb_in_encoder", old, gap, "position embedding in the encoder.")
  old = copy(tok_params)
  old["pos_embedding"] = np.concatenate([c.normal(3, (1, 1, 8)), old["pos_embedding"]], axis=1)
  record("old_cls_posemb", old, tok, "the class token had a position embedding too: it is added to cls.")
  old = copy(gap_params)
  old["Transformer"]["posembed_input"] = {"pos_embedding": np.concatenate([c.normal(3, (1, 1, 8)), old.pop("pos_embedding")], 1)}
  record("old_posembed_input_no_cls", old, gap, "one embedding too many and no cls: it is dropped.")
  old = copy(map_params)
  old.update(old.pop("MAPHead_0"))
  record("old_map_inlined", old, map_, "MAP head at the top level.")
  old = copy(gap_params)
  block = old["Transformer"]["encoderblock_0"]
  old["Transformer"]["encoderblock_0"] = {
      "LayerNorm_0": block["LayerNorm_0"], "MultiHeadDotProductAttention_1": block["MultiHeadDotProductAttention_0"],
      "LayerNorm_2": block["LayerNorm_1"], "MlpBlock_3": block["MlpBlock_0"]}
  record("old_pre_linen", old, gap, "pre-Linen names: one count over all kinds of modules, as in the ViT paper's files.")
  many = {f"encoderblock_{i}": {"LayerNorm_0": {"scale": np.float32([i])}, "LayerNorm_2": {"scale": np.float32([i + 0.5])}}
          for i in range(12)}
  tree = {"Transformer": many, "head": {"bias": np.zeros(2, np.float32)}}
  c.save_case("load_fix_natural_order", kind="model", name="vit:fix_old_checkpoints", inputs=c.flat(tree, "params/"),
              outputs=c.flat(vit.fix_old_checkpoints(tree), "params/"),
              note="twelve blocks: renumbering goes by natural order (2 before 10).")

  record("posemb_2_to_3", gap_params, gap, "2x2 to 3x3 positions.", image_shape=(2, 12, 12, 3), atol=1e-5, rtol=1e-5)
  record("posemb_4_to_3", make_params(gap, (2, 16, 16, 3)), gap, "4x4 to 3x3 positions.", image_shape=(2, 12, 12, 3),
         atol=1e-5, rtol=1e-5)
  old = copy(make_params(tok, (2, 12, 12, 3)))
  old["pos_embedding"] = np.concatenate([c.normal(3, (1, 1, 8)), old["pos_embedding"]], axis=1)
  record("posemb_cls_3_to_2", old, tok, "combined with a class token, and 3x3 to 2x2.", atol=1e-5, rtol=1e-5)
  record("other_head", make_params(dict(gap, num_classes=3)), gap, "dont_load keeps the initial head.", dont_load=["head/.*"])
  record("missing", {k: v for k, v in gap_params.items() if k != "head"}, gap, "no head in the file: must fail.")
  record("missing_dont_load", {k: v for k, v in gap_params.items() if k != "head"}, gap, "no head in the file, dont_load.",
         dont_load=["head/.*"])
  record("extra", {**gap_params, "pre_logits": {"bias": np.zeros(8, np.float32)}}, gap, "more in the file: must fail.")
  record("extra_dont_load", {**gap_params, "pre_logits": {"bias": np.zeros(8, np.float32)}}, gap, "more in the file, dont_load.",
         dont_load=["pre_logits/bias"])
  record("pyloop_to_scan", make_params(dict(gap, depth=2)), gap, "blocks are stacked.", init_args=dict(depth=2, scan=True))
  record("scan_to_pyloop", make_params(dict(gap, depth=2, scan=True)), gap, "blocks are unstacked.", init_args=dict(depth=2))

  for old_size, new_size in ((2, 3), (3, 2), (3, 3), (7, 4), (1, 3), (30, 8)):
    old = c.normal(old_size, (1, old_size**2, 4 if old_size < 30 else 1))
    new = np.zeros((1, new_size**2, old.shape[2]), np.float32)
    c.save_case(f"load_posemb_{old_size}x{old_size}_to_{new_size}x{new_size}", kind="model", name="vit:resample_posemb",
                args=dict(new_len=new_size**2), inputs=dict(old=old), outputs=dict(output=vit.resample_posemb(old, new)),
                note="scipy.ndimage.zoom, order 1: corners stay corners, but what rounding puts outside is zero (30 to 8).", atol=1e-5, rtol=1e-4)

  paths = ["gs://bucket/x.npz", "gs://bucket/x.npz:img", "/a/b.npz:img/head", "./x.npz", "x.npz", "a/b:c:d", "a/b.bv-000:img",
           "gs://bucket/x.npz:", "a/b:im-g"]
  result = []
  for path in paths:  # The expression of utils.load_params.
    m = re.match(r"^(.*?/.*?)(?::([\w/]+))?$", path)
    result.append(list(m.groups()) if m else {"error": "ValueError"})
  c.save_case("load_paths", kind="model", name="utils:load_params:path", args=dict(paths=paths),
              outputs=dict(result=json.dumps(result)), string_outputs=["result"], note="[file, subtree] of a path.")


if __name__ == "__main__":
  main()
