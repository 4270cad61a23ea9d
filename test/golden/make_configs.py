"""The trees of the original's base configs: configs/CONFIG.json holds one tree for each argument string.

Unlike the other scripts this one needs ml_collections alone: PYTHONPATH=$ORIGINAL python make_configs.py
"""

import importlib
import json
import pathlib

ARGUMENTS = {
    "vit_i1k": [
        "",
        "variant=S/16",
        "B/32",
        "variant=Ti/16,aug=none",
        "variant=L/16,aug=strong2",
        "aug=light2",
        "runlocal",
    ],
    "vit_s16_i1k": [""],
    # The original can not run with its runlocal (it edits evaluators that are not there) or its aug (NoneType of a text).
    "vit_i21k": ["", "variant=Ti/16", "S/16", "variant=L/16"],
    "mlp_mixer_i1k": ["", "gpu8", "regression_test"],
    "bit_i1k": ["", "runlocal"],
    "bit_i21k": [""],
    "transfer": [
        "model=vit-i21k-augreg-b/32",
        "model=vit-i21k-augreg-l/16,dataset=cifar100,crop=inception_crop",
        "model=vit-s16,dataset=imagenet2012,crop=inception_crop,h_res=256,l_res=224",
        "model=bit-m-r50x1,dataset=oxford_iiit_pet,crop=resize_crop,batch_size=64",
        "model=vit-s16,dataset=oxford_flowers102,fsdp,runlocal",
    ],
    "proj/image_text/siglip_lit_coco": [
        "",
        "res=384,token_len=64,txt=bert_large,img=L/16,img_head,batch_size=4096",
        "init=lit.npz,img=B/32",
        "runlocal",
    ],
    "proj/cappa/pretrain": ["", "runlocal", "total_steps=1000,batch_size=64,warmup_steps=10"],
    "proj/clippo/train_clippo": ["", "runlocal,i1k_eval", "res=64"],
    "proj/distill/bit_i1k": ["", "runlocal"],
    "proj/distill/bigsweep_flowers_pet": ["", "data=flowers,variant=fast", "data=pet,variant=long,runlocal", "data=pet"],
    "proj/distill/bigsweep_food_sun": ["", "data=sun,variant=fast,crop=resize(128)", "data=sun,variant=long", "runlocal"],
    "proj/flexivit/i1k_deit3_distill": [""],
    "proj/flexivit/i21k_distill": [""],
    "proj/flexivit/i21k_sup": ["runlocal,res=192"],
    # The original can not run with its runlocal (it edits evaluators that are not there).
    "proj/gsam/vit_i1k_gsam_no_aug": ["", "variant=S/16"],
    "proj/jet/imagenet64": ["", "runlocal"],
    "load_and_eval": ["", "name=bit_paper,batch_size=8", "vit_i1k", "name=mlp_mixer_i1k", "name=vit_i21k,batch_size=16"],
}


def tree_of(name, arg):
    module = importlib.import_module(f"big_vision.configs.{name.replace('/', '.')}")
    takes_argument = module.get_config.__code__.co_argcount > 0
    config = module.get_config(arg) if takes_argument and arg else module.get_config()
    return json.loads(config.to_json())


def main():
    folder = pathlib.Path(__file__).parent / "configs"
    folder.mkdir(exist_ok=True)
    for name, args in ARGUMENTS.items():
        trees = {arg: tree_of(name, arg) for arg in args}
        lines = [f"{json.dumps(arg)}: {json.dumps(tree, sort_keys=True)}" for arg, tree in trees.items()]
        file = folder / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
