# Copyright 2026 the project's authors. Licensed under the Apache License, Version 2.0.
"""Subsets of ImageNet and prompt templates of zero-shot classification, as data: proj/image_text/evaluators/clip-names.json.

The names themselves are plugins/pp/class-names/clip_i1k.txt.
"""

import ast
import json
import os
import pathlib

ORIGINAL = pathlib.Path(os.environ["ORIGINAL"]) / "big_vision"
OUT = pathlib.Path(__file__).resolve().parents[2] / "proj/image_text/evaluators/clip-names.json"


def constants(path):
  """The literal lists that a module assigns to upper-case names; read, not run, since it imports TensorFlow."""
  tree = ast.parse((ORIGINAL / path).read_text())
  return {node.targets[0].id: ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign)}


imagenet = constants("datasets/imagenet/class_names.py")
prompts = constants("evaluators/proj/image_text/prompt_engineering_constants.py")
data = {
    "imagenet_a": imagenet["IMAGENET_A_LABELSET"],
    "imagenet_r": imagenet["IMAGENET_R_LABELSET"],
    "templates": {
        "class_name_only": ["{}"],
        "clip_paper": prompts["CLIP_PAPER_PROMPT_TEMPLATES"],
        "clip_best": prompts["CLIP_BEST_PROMPT_TEMPLATES"],
    },
}
OUT.write_text(json.dumps(data, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
