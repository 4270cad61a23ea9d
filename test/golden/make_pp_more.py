"""Cases of kind `pp`: AutoAugment's functions, masks, boxes, sequences of patches, texts and tokens."""

import io
import types

import common as c
import numpy as np
import sentencepiece
import tensorflow as tf

# What the defunct tensorflow_addons did: affine maps by the op that TensorFlow itself still has.
image = types.ModuleType("tensorflow_addons.image")


def _transform(images, transforms):
  t = tf.reshape(tf.constant(transforms, tf.float32), [1, 8])
  shape = tf.shape(images)[:2]
  return tf.raw_ops.ImageProjectiveTransformV3(
      images=images[None], transforms=t, output_shape=shape, fill_value=0.0, interpolation="NEAREST", fill_mode="CONSTANT")[0]


def _rotate(images, angle):
  h, w = (tf.cast(s, tf.float32) for s in images.shape[:2])
  cos, sin = tf.cos(tf.constant(angle, tf.float32)), tf.sin(tf.constant(angle, tf.float32))
  x = ((w - 1) - (cos * (w - 1) - sin * (h - 1))) / 2
  y = ((h - 1) - (sin * (w - 1) + cos * (h - 1))) / 2
  return _transform(images, [float(v) for v in (cos, -sin, x, sin, cos, y, 0, 0)])


image.transform = _transform
image.rotate = _rotate
image.translate = lambda images, d: _transform(images, [1, 0, -d[0], 0, 1, -d[1], 0, 0])
import sys  # pylint: disable=wrong-import-position
addons = types.ModuleType("tensorflow_addons")
addons.image = image
sys.modules["tensorflow_addons"] = addons
sys.modules["tensorflow_addons.image"] = image

from big_vision.pp import autoaugment, builder, ops_text  # pylint: disable=wrong-import-position
import big_vision.pp.ops_general  # pylint: disable=unused-import,wrong-import-position
import big_vision.pp.ops_image  # pylint: disable=unused-import,wrong-import-position
import big_vision.pp.proj.givt.pp_ops  # pylint: disable=unused-import,wrong-import-position
import big_vision.pp.proj.image_text.ops_naflex  # pylint: disable=unused-import,wrong-import-position
import big_vision.pp.proj.paligemma.ops  # pylint: disable=unused-import,wrong-import-position
import big_vision.pp.proj.paligemma.video  # pylint: disable=unused-import,wrong-import-position
import big_vision.pp.proj.paligemma.widgetcap  # pylint: disable=unused-import,wrong-import-position
import big_vision.pp.proj.uvim.pp_ops  # pylint: disable=unused-import,wrong-import-position
from make_pp import photo  # pylint: disable=wrong-import-position


def to_tf(v):
  if isinstance(v, dict):
    return {k: to_tf(x) for k, x in v.items()}
  return tuple(map(to_tf, v)) if isinstance(v, tuple) else tf.constant(v)


def is_text(v):
  return isinstance(v, str) or (isinstance(v, list) and all(map(is_text, v)))


def record(label, pp, data, note="", atol=0, rtol=0):
  out = builder.get_preprocess_fn(pp, log_data=False)(to_tf(data))
  out = c.jax.tree.map(lambda t: t.to_tensor().numpy() if isinstance(t, tf.RaggedTensor) else t.numpy(), out,
                       is_leaf=lambda t: isinstance(t, tf.RaggedTensor))
  flat, texts = {}, []
  for k, v in c.flat(out).items():
    if np.asarray(v).dtype.kind in "OS":
      texts.append(k)
      v = b"\n".join(np.asarray(v).ravel().tolist())
    flat[k] = v
  more = dict(string_inputs={k: v for k, v in data.items() if is_text(v)}) if any(map(is_text, data.values())) else {}
  if texts:
    more["string_outputs"] = texts
  c.save_case(f"ppmore_{label}", kind="pp", name=pp.split("(")[0] if "|" not in pp else "pipeline", args=dict(pp=pp),
              inputs=c.flat({k: v for k, v in data.items() if not is_text(v)}), outputs=flat, note=note, atol=atol, rtol=rtol, **more)


def augment(img):
  flat = np.full((6, 7, 3), 77, np.uint8)
  for name, cases in dict(
      autocontrast=[{}], equalize=[{}], invert=[{}],
      brightness=[dict(factor=1.7), dict(factor=0.0)], color=[dict(factor=1.9), dict(factor=1.0)],
      contrast=[dict(factor=0.1), dict(factor=1.6)], sharpness=[dict(factor=1.8), dict(factor=0.0)],
      posterize=[dict(bits=0), dict(bits=1), dict(bits=8)], solarize=[dict(threshold=60)],
      solarize_add=[dict(addition=110), dict(addition=-50, threshold=200)],
      rotate=[dict(degrees=-45.0, replace=[10, 20, 30])], translate_x=[dict(pixels=-7.5, replace=[1, 2, 3])],
      translate_y=[dict(pixels=100, replace=[128] * 3)], shear_x=[dict(level=-0.25, replace=[128] * 3)],
      shear_y=[dict(level=0.3, replace=[0] * 3)]).items():
    for i, args in enumerate(cases):
      for kind, x in (("photo", img), ("flat", flat)):
        if kind == "flat" and (i or name not in ("autocontrast", "equalize", "sharpness")):
          continue
        y = getattr(autoaugment, name)(tf.constant(x), **args).numpy()
        c.save_case(f"ppmore_aa_{name}_{kind}_{i}", kind="pp", name=f"autoaugment:{name}", args=args, inputs=dict(image=x),
                    outputs=dict(image=y), note="a function of AutoAugment.", atol=1.01)


def others(img):
  i32 = lambda v: np.array(v, np.int32)
  f32 = lambda v: np.array(v, np.float32)
  rng = np.random.default_rng(1)
  record("gray_f32", "rgb_to_grayscale_to_rgb", dict(image=img[:8, :9] / np.float32(255)), atol=1e-6)
  ids = i32(rng.integers(-1, 5, (9, 11, 2)))
  for args in ("", "(main_sort_axis='x')"):
    record("make_canonical_" + (args[-3:-2] or "y"), "make_canonical" + args, dict(labels=ids), "two channels.")
  record("make_canonical_none", "make_canonical", dict(labels=i32([[[0], [-1]], [[-3], [0]]])), "no instances.")
  record("nyu_depth", "nyu_depth|bin_nyu_depth|drop('depth')", dict(depth=f32(rng.uniform(-1, 11, (5, 7)))))
  record("bin_nyu_depth", "bin_nyu_depth(0.5, 3, 7)", dict(labels=f32(rng.uniform(0, 4, (5, 7, 1)))))
  panoptic = dict(panoptic_image=np.uint8([[[1, 0, 0], [0, 1, 0], [5, 4, 3]], [[9, 9, 9], [5, 4, 3], [1, 0, 0]]]),
                  panoptic_objects=dict(id=np.int32([5 + 4 * 256 + 3 * 65536, 1, 256]), label=np.int32([7, 0, 3])))
  record("coco_panoptic", "coco_panoptic|keep('instances', 'semantics')", panoptic)
  record("crop_box", "crop_box(boxkey='b')|keep('image')", dict(image=img, b=(f32([0.31, 0.17]), f32([0.52, 0.61]))))
  record("det_fliplr", "det_fliplr", dict(image=img[:5, :6], fliplr=np.float32(0.51)), "above a half: mirrored.")
  for label, size, args in (("tall", (60, 20), "(7, 10)"), ("free", (33, 47), "(5, 30, divisible_by_patch=False)"),
                            ("up", (6, 5), "(4, 50)")):
    record(f"resize_to_sequence_{label}", "resize_to_sequence" + args, dict(image=img[:size[0], :size[1]]), atol=0.01, rtol=1e-4)
  record("central_crop_to_sequence", "central_crop_to_sequence(8, 20)", dict(image=img))
  record("patchify", "patchify((3, 4))", dict(image=img[:7, :9]), "what is left over is dropped.")
  record("convert_to_video", "convert_to_video(3)", dict(image=img[:3, :2]))
  record("stack", "stack_images(['a', 'b'])|video_replicate_img(3, 5)", dict(a=img[:3, :2], b=img[3:6, :2]))
  record("draw_bbox", "draw_bbox", dict(image=img[:20, :30], bbox=f32([0.2, 0.1, 0.77, 0.95])))
  record("draw_bbox_outside", "draw_bbox", dict(image=img[:20, :30], bbox=f32([-0.2, 0.4, 0.5, 1.3])), "partly outside.")
  record("choice_all", "choice(4, key=['a', 'b'])", dict(a=i32([3, 1, 2, 5]), b=f32(rng.uniform(size=(4, 2)))))
  record("choice_outkey", "choice((2, 2), inkey=['a', 'b'], outkey=['{key}_x', 'c'])", dict(a=i32([3, 3]), b=f32([1, 1])))
  record("getidx", "getidx('a', 'i', 'x')|getidx('a', 'j')", dict(a=i32([[1, 2], [3, 4], [5, 6]]), i=np.int32(2), j=np.int32(0)))
  record("majority", "majority(inkey='a', outkey='m')", dict(a=i32([4, 2, 7, 2, 7, 1])), "the first of equals.")
  for args in ("4, pad_value=9", "2, pad_value=9", "2, sticky_end=True, pad_value=9", "5, pad_key='p'", "None"):
    record("tolen_" + "".join(x for x in args if x.isalnum()), f"tolen({args}, key='a')", dict(a=i32([3, 1, 2]), p=i32([8, 7])))
  record("masked_concat", "masked_concat(['a', 'b', 'a'], outkey='a', mask_ar=[0, 1, 1], mask_loss=[0, 0, 1])",
         dict(a=i32([3, 1]), b=i32([5])))
  record("lower", "lower", dict(text=["ABC é É", "ß İ x"]), "ASCII alone.")
  values = dict(i=i32([[1, -2], [3, 4]]), f=f32([0.1, 3.14, 1e-7, 123456.789, 1e10, 2 / 3, -0.0, 100000, 1234567]), u=np.uint8(200),
                d=i32([[[1], [2]], [[3], [4]]]), t="text", l=["a", "b"])
  for name in values:
    record(f"strfmt_{name}", "strfmt('{{x}} {" + name + "}!', outkey='o')|keep('o')", values)
  record("strjoin", "strjoin(', ', key='l')", dict(l=["a", "", "c"]))
  record("labels_clip", "clip_i1k_label_names", dict(label=i32([[0, 999], [500, 1]])), "two axes.")
  record("label_i21k", "i21k_label_names(key='x')", dict(x=np.int32(21842)), "a scalar.")


SENTENCES = ["a photo of a cat", "a photo of a dog", "the quick brown fox jumps over the lazy dog", "two dogs play with a red ball",
             "a cat sits on a mat", "painting of a house by the sea", "seven small birds", "blue sky, green grass."] * 8
TEXTS = ["a photo of a cat.", "", "Two DOGS  play   with ﬁve balls", "  Ünïcode ½ 日本\t", "a " * 20, "x<loc0001>y<seg127>", "\u200bz\u3000é"]


def tokenizing():
  # The rules of nmt_nfkc take 130 KB of a model, so they are in one case only.
  for kind in ("unigram", "bpe", "nfkc"):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES), model_writer=model, vocab_size=340 if kind == "bpe" else 90,
        model_type="bpe" if kind == "bpe" else "unigram",
        byte_fallback=kind == "bpe", pad_id=0, eos_id=1, unk_id=2, bos_id=3 if kind == "bpe" else -1, minloglevel=2,
        hard_vocab_limit=False, normalization_rule_name="nmt_nfkc" if kind == "nfkc" else "identity", num_threads=1)
    path = f"/tmp/{kind}.model"
    with open(path, "wb") as f:
      f.write(model.getvalue())
    inputs = dict(model=np.frombuffer(model.getvalue(), np.uint8))
    for eos, pad, bos in (("none", 5, False), ("yes", "<pad>", False), ("sticky", 1, kind == "bpe")) * (kind != "nfkc"):
      op = ops_text.get_pp_tokenize(max_len=7, eos=eos, model=path, pad_value=pad, add_bos=bos, inkey="t")
      rows = np.stack([op({"t": tf.constant(t)})["labels"].numpy() for t in TEXTS])
      c.save_case(f"ppmore_tokenize_{kind}_{eos}", kind="pp", name="tokenize", args=dict(max_len=7, eos=eos, pad_value=pad, add_bos=bos),
                  inputs=inputs, outputs=dict(labels=rows), string_inputs=dict(texts=TEXTS), note="a small vocabulary.")
    for sets in ([], ["loc", "seg"])[kind == "nfkc":]:
      tok = ops_text.SentencepieceTokenizer(path, tokensets=sets)
      out = dict(vocab_size=np.int32(tok.vocab_size), eos_token=np.int32(tok.eos_token), pad_token=np.int32(tok.pad_token),
                 bos_token=np.int32(tok.bos_token))
      for i, t in enumerate(TEXTS):
        ids = tok.to_int(t, eos=True)
        out[f"to_int/{i}"] = np.int32(ids)
        out[f"to_str/{i}"] = tok.to_str(ids + [5, 6])
      c.save_case(f"ppmore_sp_{kind}_{'_'.join(sets) or 'plain'}", kind="pp", name="tokenizers.sp", args=dict(tokensets=sets),
                  inputs=inputs, outputs=out, string_inputs=dict(texts=TEXTS), note="a small vocabulary.")


BERT_VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "quick", "fox", "##es", "jump", "##ed", "over", ",", "!", "'", "a", "##b",
              "##c", "cafe", "\u65e5", "\u672c", "$", "-", "1", "##2", "stra", "##ss", "##e", "aa", "##a"]
BERT_TEXTS = ["The quick FOXES jumped over, 1212!", "CAF\u00c9 cafe\u0301 fox's $1", "\u65e5\u672c abc\u65e5abc", "stra\u00dfe STRASSE STRA\u1e9eE",
              "", " \t", "[CLS] fox [sep]", "\uff41\uff42\uff43 \ufb01 \u00bd", "fox\u0000fox fox\u200bes fox\u2028fox fox\u00a0fox\ufffd",
              "a\u2013b a\u03c2 \u0130 \u0131", "a" * 101 + " " + "a" * 100, "the the the the the the the the the the the the"]


def wordpiece():
  import tempfile  # pylint: disable=g-import-not-at-top
  from big_vision.pp.proj.flaxformer import bert_ops  # pylint: disable=g-import-not-at-top
  vocab = "\n".join(BERT_VOCAB) + "\n"
  with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as f:
    f.write(vocab)
    f.flush()
    op = bert_ops.get_pp_bert_tokenize(f.name, max_len=12, key="t")
    labels = np.stack([op({"t": tf.constant(t.encode())})["t"].numpy() for t in BERT_TEXTS])
  c.save_case("ppmore_bert_tokenize", kind="pp", name="bert_tokenize", args=dict(max_len=12),
              inputs=dict(vocab=vocab), outputs=dict(labels=labels), string_inputs=dict(texts=BERT_TEXTS),
              note="normalisation, splitting, pieces, and lengths.")
  record("rag_tensor", "rag_tensor", dict(image=np.int32([[1, 2], [3, 4], [5, 6]])))
  record("rag_tensor_keys", "rag_tensor(inkey='a', outkey='b')", dict(a=np.float32([1, 2, 3])))


if __name__ == "__main__":
  from big_vision.pp import registry
  if "tokensets.sp_extra_tokens" not in registry.Registry.global_registry():
    registry.Registry.register("tokensets.sp_extra_tokens")(lambda: ["<s>", "</s>", "<pad>"])
  c.clear("ppmore_")
  picture = photo()
  augment(picture[8:36, 40:76])
  others(picture)
  tokenizing()
  wordpiece()
