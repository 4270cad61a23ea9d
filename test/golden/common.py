# Copyright 2026 the project's authors. Licensed under the Apache License, Version 2.0.
"""What all of the recording scripts share: the original on the path, and how a case is written.

A case is a folder of `cases/`: `case.json`, `inputs.npz`, `outputs.npz`; what only tests can judge is one of `recordings/`,
in the same form. See README.md.
"""

import json
import os
import pathlib
import shutil
import sys
import types
import zipfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

_original = pathlib.Path(os.environ.get("ORIGINAL", "."))
if (_original / "models" / "vit.py").exists():  # The package folder itself.
  _original = _original.resolve().parent
if not (_original / "big_vision" / "models" / "vit.py").exists():
  sys.exit("Set ORIGINAL to a checkout of google-research/big_vision.")
sys.path.insert(0, str(_original))

import jax  # pylint: disable=wrong-import-position

# What train.py sets before anything else.
jax.config.update("jax_threefry_partitionable", True)

# The two shims that the original needs with the pinned versions.
jax.tree_map = jax.tree.map
sys.modules.setdefault("tensorflow_addons", types.ModuleType("tensorflow_addons"))

import big_vision.utils as u  # pylint: disable=wrong-import-position
import jax.numpy as jnp  # pylint: disable=wrong-import-position
import numpy as np  # pylint: disable=wrong-import-position

HERE = pathlib.Path(__file__).resolve().parent
CASES = HERE / "cases"
RECORDINGS = HERE / "recordings"
# Kinds that no runner is for.
ONLY_FOR_TESTS = ("train", "random", "ops")


def to_case_array(x):
  """The form of arrays in a case: float32, int32 or uint8."""
  if isinstance(x, str):
    x = x.encode("utf-8")
  if isinstance(x, bytes):
    return np.frombuffer(x, np.uint8)
  x = np.asarray(x)
  if x.dtype == np.bool_:
    return x.astype(np.uint8)
  if x.dtype == np.uint32:  # Random bits and keys: the same bits as int32.
    return x.view(np.int32)
  if x.dtype == np.int64:
    assert np.all(np.abs(x) < 2**31), x
    return x.astype(np.int32)
  if x.dtype in (np.float64, jnp.bfloat16):
    return x.astype(np.float32)
  assert x.dtype in (np.float32, np.int32, np.uint8), x.dtype
  return x


def write_npz(path, arrays):
  """np.savez_compressed, but as small as deflate gets, and the same bytes every time."""
  with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
    for name, value in arrays.items():
      info = zipfile.ZipInfo(name + ".npy")
      info.compress_type = zipfile.ZIP_DEFLATED
      with z.open(info, "w") as f:
        np.lib.format.write_array(f, np.asanyarray(value, order="C"), version=(1, 0))


def flat(tree, prefix=""):
  """A pytree as a flat dictionary, names joined by slashes behind `prefix`."""
  return {prefix + k: v for k, v in u.tree_flatten_with_names(tree)[0]} if tree else {}


def save_case(folder, *, kind, name, args=None, inputs=None, outputs=None, note="",
              atol=0, rtol=0, only_for_tests=False, **more):
  """Writes one case. `more` are further keys of case.json (call, loss, ...)."""
  path = (RECORDINGS if only_for_tests or kind in ONLY_FOR_TESTS else CASES) / folder
  if path.exists():
    shutil.rmtree(path)
  path.mkdir(parents=True)
  case = dict(kind=kind, name=name, args=args or {}, note=note,
              tolerance=dict(atol=atol, rtol=rtol), **more)
  text = json.dumps(case, indent=1, sort_keys=True, ensure_ascii=True)
  (path / "case.json").write_text(text + "\n", encoding="utf-8")
  for part, arrays in (("inputs", inputs or {}), ("outputs", outputs or {})):
    write_npz(path / f"{part}.npz", {k: to_case_array(v) for k, v in arrays.items()})
  size = sum(f.stat().st_size for f in path.iterdir())
  print(f"{folder:44s} {size / 1024:7.1f} KiB", flush=True)
  return path


def clear(prefix, but=None):
  """Removes the earlier cases whose folder starts with `prefix`, but not those that start with `but`: another script's."""
  for root in (CASES, RECORDINGS):
    root.mkdir(exist_ok=True)
    for path in root.iterdir():
      if path.name.startswith(prefix) and not (but and path.name.startswith(but)):
        shutil.rmtree(path)


def perturb(params, seed):
  """Adds noise to what starts as a constant (or nearly: 1e-6), so that it matters."""
  rng = np.random.default_rng(seed)
  def one(x):
    x = np.asarray(x)
    noise = 0.1 * rng.standard_normal(x.shape).astype(np.float32)
    return x + noise if x.std() < 1e-4 else x
  return jax.tree.map(one, jax.device_get(params))


def normal(seed, shape, scale=1.0):
  return (scale * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def onehot(seed, n, classes):
  return np.eye(classes, dtype=np.float32)[np.random.default_rng(seed).integers(0, classes, n)]
