"""jetformer_configs.json: the trees of the original's configs of JetFormer, by name and argument string.

Needs ml_collections alone: PYTHONPATH=$ORIGINAL python make_jetformer_configs.py
"""

import importlib
import json
import pathlib

ARGUMENTS = {
    # With runlocal the first fails in the original: it removes an evaluator that isn't there.
    "jetformer_imagenet2012": ["", "model_size=1p3B,total_epochs=500", "res=128,depth_to_seq=2,use_adaptor=False"],
    "jetformer_image_text": ["", "ignore_pad=True,text_len=32", "model_size=1p3B,use_boi=False,num_slices=2", "runlocal"],
}


def tree_of(name, arg):
  return json.loads(importlib.import_module(f"big_vision.configs.proj.jetformer.{name}").get_config(arg).to_json())


def main():
  trees = {name: {arg: tree_of(name, arg) for arg in args} for name, args in ARGUMENTS.items()}
  path = pathlib.Path(__file__).parent / "jetformer_configs.json"
  path.write_text(json.dumps(trees, sort_keys=True, separators=(",", ":")) + "\n")


if __name__ == "__main__":
  main()
