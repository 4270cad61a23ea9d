"""uvim_configs.json: the trees of the original's configs of UViM, by name and argument string.

Needs ml_collections alone: PYTHONPATH=$ORIGINAL python make_uvim_configs.py
"""

import json
import pathlib

import big_vision.configs

# One cannot be read at the original's head: a quote is missing.
MENDED = {"vqvae_nyu_depth": ("split='train)", "split='train')")}
STAGE_1 = ["res=512,patch_size=16", "singlehost", "runlocal", "res=256,patch_size=8"]
STAGE_2 = ["", "singlehost", "runlocal"]
ARGUMENTS = {
    "vqvae_coco_panoptic": STAGE_1,
    "vqvae_imagenet2012_colorization": STAGE_1,
    "vqvae_nyu_depth": STAGE_1,
    "train_coco_panoptic_pretrained": STAGE_2,
    "train_imagenet2012_colorization_pretrained": STAGE_2,
    "train_nyu_depth_pretrained": STAGE_2,
}


def module_of(name):
  folder = pathlib.Path(big_vision.configs.__path__[0]) / "proj" / "uvim"
  text = (folder / f"{name}.py").read_text().replace(*MENDED.get(name, ("", "")))
  namespace = {}
  exec(compile(text, name, "exec"), namespace)  # pylint: disable=exec-used
  return namespace


def main():
  here = pathlib.Path(__file__).parent
  lines = []
  for name, args in ARGUMENTS.items():
    get_config = module_of(name)["get_config"]
    trees = {arg: json.loads(get_config(arg).to_json()) for arg in args}
    trees = ",\n".join(f"{json.dumps(arg)}: {json.dumps(tree, sort_keys=True)}" for arg, tree in trees.items())
    lines.append(f"{json.dumps(name)}: {{\n{trees}\n}}")
  (here / "uvim_configs.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
  main()
