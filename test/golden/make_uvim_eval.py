"""Cases of UViM's evaluators: depth, and panoptic quality as COCO's panopticapi computes it.

PANOPTICAPI is a checkout of github.com/cocodataset/panopticapi. The evaluators run as they are; only what reads data sets
and calls the model is replaced by arrays.
"""

import importlib.util
import json
import os
import pathlib
import sys
import tempfile
import types

import common as c
import numpy as np

PANOPTICAPI = pathlib.Path(os.environ["PANOPTICAPI"])
sys.path.insert(0, str(PANOPTICAPI))
# The original imports a converter under a name that Python can have.
spec = importlib.util.spec_from_file_location(
    "panopticapi_converters.twochannels2panoptic_coco_format",
    PANOPTICAPI / "converters" / "2channels2panoptic_coco_format.py")
converter = importlib.util.module_from_spec(spec)
spec.loader.exec_module(converter)
package = types.ModuleType("panopticapi_converters")
package.twochannels2panoptic_coco_format = converter
sys.modules["panopticapi_converters"] = package
sys.modules[spec.name] = converter

COCO = json.loads((PANOPTICAPI / "panoptic_coco_categories.json").read_text())
CATEGORIES = [x for x in COCO if x["id"] in (1, 3, 18, 92, 118, 187)]  # Three things and three kinds of stuff.
os.environ["COCO_DATA_DIR"] = tempfile.mkdtemp()
(pathlib.Path(os.environ["COCO_DATA_DIR"]) / "panoptic_coco_categories.json").write_text(json.dumps(CATEGORIES))

from big_vision.evaluators.proj.uvim import coco_panoptic, nyu_depth  # pylint: disable=wrong-import-position


class Batches:

  def __init__(self, *batches):
    self.batches = batches

  def as_numpy_iterator(self):
    return iter(self.batches)


def blobs(rng, height, width, count):
  """Numbers of overlapping ellipses, 0 behind them."""
  y, x = np.mgrid[:height, :width] / np.array([height, width]).reshape(2, 1, 1)
  mask = np.zeros((height, width), np.int32)
  for i in range(count):
    cy, cx, ry, rx = *rng.uniform(0.1, 0.9, 2), *rng.uniform(0.12, 0.4, 2)
    mask[((y - cy) / ry)**2 + ((x - cx) / rx)**2 < 1] = i + 1
  return mask


def scene(seed, size, predicted_size, *, noise, crowd=False, shuffle=False):
  """An image's annotations, and a prediction that is partly wrong."""
  rng = np.random.default_rng(seed)
  height, width = size
  mask = blobs(rng, height, width, 6)
  if shuffle:  # Annotated areas that are not those of the picture, as in some of COCO's.
    mask[: height // 8] = 0
  used = [i for i in range(1, 7) if np.any(mask == i)]
  labels = rng.integers(0, len(CATEGORIES), 7)
  ids = np.zeros(7, np.int64)
  ids[1:] = rng.choice(2**24 - 1, 6, replace=False) + 1
  id_image = ids[mask]
  if seed % 2:  # An id that nothing explains: neither a segment nor nothing.
    id_image[-1, -3:] = 77
  panoptic_image = np.stack([id_image % 256, id_image // 256 % 256, id_image // 65536], -1).astype(np.uint8)
  h, w = predicted_size
  near = mask[np.arange(h) * height // h][:, np.arange(w) * width // w]
  semantics = np.where(near > 0, labels[near] + 1, 0)
  instances = near.copy()
  for _ in range(noise):
    top, left = rng.integers(0, h - 4), rng.integers(0, w - 4)
    box = np.s_[top:top + rng.integers(3, 9), left:left + rng.integers(3, 9)]
    semantics[box] = rng.integers(0, len(CATEGORIES) + 1)
    instances[box] = rng.choice([0, 1, 2, 9, 99])
  objects = {
      "id": np.array([ids[i] for i in used]),
      "label": np.array([labels[i] for i in used]),
      "is_crowd": np.array([crowd and i == used[0] for i in used]),
      "area": np.array([np.sum(id_image == ids[i]) + 3 * shuffle for i in used]),
  }
  example = {"image/id": 1000 + seed, "panoptic_image": panoptic_image, "panoptic_objects": objects}
  return example, np.stack([semantics, instances], -1).astype(np.int32)


def panoptic(label, note, scenes):
  examples, predictions = zip(*scenes)
  evaluator = coco_panoptic.Evaluator.__new__(coco_panoptic.Evaluator)
  shape = lambda x: x[None, None]  # gathered, devices, batch, ...
  padded = np.concatenate([np.stack(predictions), np.ones_like(predictions[0])[None]])
  ids = np.array([x["image/id"] for x in examples] + [0])
  mask = np.array([1] * len(examples) + [0])
  evaluator.data = Batches(None)
  evaluator.predict_fn = lambda params, batch: {"mask": shape(mask), "image/id": shape(ids), "y": shape(padded)}
  evaluator.result_dir = tempfile.TemporaryDirectory()
  coco_panoptic.tfds = types.SimpleNamespace(
      builder=lambda *_, **__: types.SimpleNamespace(as_dataset=lambda split: examples))
  (evaluator.gt_folder, evaluator.gt_json, evaluator.categories_json, evaluator.remap,
   evaluator.size_map) = coco_panoptic._prepare_ground_truth_from_dataset(label, "validation", None)
  inputs = {}
  for i, (example, prediction) in enumerate(scenes):
    inputs[f"{i}/prediction"] = prediction
    inputs[f"{i}/panoptic_image"] = example["panoptic_image"]
    for key, value in example["panoptic_objects"].items():
      inputs[f"{i}/panoptic_objects/{key}"] = value
  categories = [{k: x[k] for k in ("id", "name", "isthing")} for x in CATEGORIES]
  c.save_case(f"uvim_eval_panoptic_{label}", kind="evaluator", name="proj/uvim/coco_panoptic",
              args=dict(categories=categories), inputs=inputs,
              outputs={k: np.float32(v) for k, v in evaluator.run(None)}, atol=1e-6, note=note)


def depth(label, note, size, predicted_size, seed, **options):
  """size: that of the ground truth."""
  rng = np.random.default_rng(seed)
  n = 3
  truth = rng.uniform(0, 11, (n, *size, 1)).astype(np.float32)
  truth[:, :2] = 0
  predicted = rng.uniform(0.3, 10, (n, *predicted_size)).astype(np.float32)
  # Mostly right, so that all of the thresholds matter.
  h, w = predicted_size
  near = truth[:, np.arange(h) * size[0] // h][:, :, np.arange(w) * size[1] // w, 0]
  predicted = np.where(rng.random(near.shape) < 0.7, np.maximum(near, 0.1) * rng.uniform(0.6, 1.7, near.shape), predicted)
  predicted = predicted.astype(np.float32)
  evaluator = nyu_depth.Evaluator.__new__(nyu_depth.Evaluator)
  evaluator.min_depth, evaluator.max_depth = options.get("min_depth", 1e-3), options.get("max_depth", 10)
  nyu_depth.EVAL_CROP_H, nyu_depth.EVAL_CROP_W = size
  evaluator.data = Batches(None)
  pad = lambda x: np.concatenate([x, np.zeros_like(x[:1])])[None, None]
  evaluator.predict_fn = lambda *_: {"mask": pad(np.ones(n, np.int32)), "gt": pad(truth[..., 0]), "y": pad(predicted)}
  c.save_case(f"uvim_eval_depth_{label}", kind="evaluator", name="proj/uvim/nyu_depth",
              args=dict(batch_size=2, **options), inputs={"ground_truth": truth, "depth": predicted},
              outputs={k: np.float32(v) for k, v in evaluator.run(None)}, atol=1e-5, rtol=1e-5, note=note)


def nearest():
  sizes = [(512, 426), (512, 560), (512, 427), (512, 640), (64, 41), (534, 141), (112, 82), (56, 531), (100, 358), (7, 7)]
  outputs = {f"{m}_to_{n}": nyu_depth._resize_nearest(np.arange(m), (n,)) for m, n in sizes}
  c.save_case("uvim_eval_nearest", kind="evaluator", name="proj/uvim/nyu_depth:_resize_nearest",
              args=dict(sizes=sizes), outputs=outputs, note="which pixel each one shows.")


def main():
  c.clear("uvim_eval_")
  nearest()
  depth("same", "predictions of the size of the ground truth.", (20, 26), (20, 26), 0)
  depth("resized", "smaller predictions.", (21, 28), (16, 16), 1)
  depth("range", "a narrower range of depths.", (21, 28), (16, 16), 2, min_depth=1.0, max_depth=6.0)
  sizes = [(48, 64), (61, 40), (33, 57)]
  many = lambda **kw: [scene(i, sizes[i % 3], (32, 32), **kw) for i in range(5)]
  panoptic("right", "predictions that differ by their resolution alone.", many(noise=0))
  panoptic("noisy", "boxes of wrong classes and instances.", many(noise=8))
  panoptic("crowd", "a crowd in each image.", many(noise=6, crowd=True))
  panoptic("areas", "areas that are not those of the picture; much of it is not annotated.", many(noise=4, shuffle=True))


if __name__ == "__main__":
  main()
