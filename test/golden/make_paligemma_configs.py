"""paligemma_configs.json.gz: the trees of the original's configs of PaliGemma's transfers, by name and argument string.

Those of videos are left out: they raise an error in the original, since their data isn't public. So is the argument crop of
refcoco_seg, whose other value needs ops that aren't.
Needs ml_collections alone: PYTHONPATH=$ORIGINAL python make_paligemma_configs.py
"""

import gzip
import importlib
import json
import pathlib

ARGUMENTS = {
    "ai2d": ["", "runlocal"],
    "aokvqa_da": ["", "final_split"],
    "aokvqa_mc": [""],
    "chartqa": ["", "res=448,final_split"],
    "coco35l": ["", "crop=ic,eval_xm3600=False"],
    "cococap": ["beam_size=0", "crop=rc,beam_size=3,final_split"],
    "docvqa": [""],
    "forkme": ["", "size=10b,freeze_vit,text_len=64"],
    "gqa": ["", "freeze_vit=False,mode=mock"],
    "infovqa": ["", "res=448,mode=runlocal"],
    "nlvr2": [""],
    "ocrvqa": ["", "final_split"],
    "okvqa": ["", "mode=runlocal"],
    "pope": ["", "mode=mock"],
    "refcoco_seg": ["", "res=224,mode=mock"],
    "rsvqa_hr": ["", "mode=runlocal"],
    "rsvqa_lr": [""],
    "science_qa": ["", "qfmt=CQM,afmt=ALE,freeze_llm"],
    "scicap": [""],
    "screen2words": ["final_split"],
    "stvqa": [""],
    "tallyqa": [""],
    "textcaps": ["beam_size=0", ""],
    "textvqa": [""],
    "vertexai_l4": ["", "freeze_llm,res=448"],
    "vizwizvqa": [""],
    "vqav2": ["", "mode=mock"],
    "widgetcap": ["", "res=448"],
}


def main():
  trees = {}
  for name, args in ARGUMENTS.items():
    get_config = importlib.import_module(f"big_vision.configs.proj.paligemma.transfers.{name}").get_config
    trees[name] = {arg: json.loads((get_config(arg) if arg else get_config()).to_json()) for arg in args}
  path = pathlib.Path(__file__).parent / "paligemma_configs.json.gz"
  path.write_bytes(gzip.compress(json.dumps(trees, sort_keys=True).encode(), 9, mtime=0))


if __name__ == "__main__":
  main()
