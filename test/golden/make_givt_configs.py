"""givt_configs.json: the trees of the original's configs of GIVT, by name and argument string.

Needs ml_collections alone: PYTHONPATH=$ORIGINAL python make_givt_configs.py
"""

import importlib
import json
import pathlib

ARGUMENTS = {
    "givt_imagenet2012": ["", "style=masked,res=512", "res=512,model_size=large,adaptor=True", "runlocal"],
    "vae_coco_panoptic": ["", "singlehost"],
    "vae_nyu_depth": ["", "runlocal"],
    "givt_coco_panoptic": [""],
    "givt_nyu_depth": ["", "runlocal"],
}


def tree_of(name, arg):
  get_config = importlib.import_module(f"big_vision.configs.proj.givt.{name}").get_config
  # One takes a flag in place of a text.
  return json.loads((get_config(arg) if arg or name != "givt_coco_panoptic" else get_config()).to_json())


def main():
  trees = {
      name: {arg: tree_of(name, arg) for arg in args}
      for name, args in ARGUMENTS.items()}
  path = pathlib.Path(__file__).parent / "givt_configs.json"
  path.write_text(json.dumps(trees, sort_keys=True, separators=(",", ":")) + "\n")


if __name__ == "__main__":
  main()
