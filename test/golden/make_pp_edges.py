"""Cases of kind `pp` at the edges of what ops take: sizes that stay, values without a bin, arrays without values, odd files."""

import io

import common as c
from make_pp import photo
from make_pp_more import SENTENCES, TEXTS, record
import numpy as np
from PIL import Image
import sentencepiece
import tensorflow as tf

from big_vision.pp import autoaugment, builder, ops_text  # pylint: disable=wrong-import-order

f32 = lambda v: np.array(v, np.float32)
i32 = lambda v: np.array(v, np.int32)


def arrays(img):
  soft = img.astype(np.float32)
  for method in ("gaussian", "mitchellcubic"):
    record(f"edge_resize_same_{method}", f"resize((5, 6), '{method}')", dict(image=soft), "these smooth even at the same size.",
           atol=1e-3, rtol=1e-5)
  record("edge_resize_small_part", "resize_small(3.5)", dict(image=img), "no whole number.", atol=1)
  record("edge_central_crop_0", "central_crop(0)", dict(image=img), "0 is None.")
  record("edge_value_range_reversed", "value_range(1, -1, clip_values=True)", dict(image=img), "vmin is the stronger limit.")
  record("edge_clip_value_range_gray", "clip_value_range", dict(image=img[..., :1]), "one channel becomes three.", atol=1e-6)
  record("edge_vgg_value_range_number", "vgg_value_range(10, std=(5.,))", dict(image=img), atol=1e-6)
  record("edge_gray_video", "rgb_to_grayscale_to_rgb", dict(image=np.stack([img, img[::-1]])))
  record("edge_bin_nyu_depth", "bin_nyu_depth(0, 1, 4)", dict(labels=f32([np.inf, -np.inf, 1e10, -1e10, 0.5])))
  record("edge_reshape_empty", "reshape((0, -1), key='a')|reshape((-1, 3), key='b')", dict(a=f32(np.zeros((0, 3))), b=f32(np.zeros((0, 3)))))
  record("edge_concat_texts", "concat(['a', 'b'], 'c')", dict(a=["x", "y"], b=["é"]))
  record("edge_setdefault", "setdefault('x', ['a', 'b'])|setdefault('y', 1e10)", dict(z=i32(0)))
  record("edge_crop_box_array", "crop_box|keep('image')", dict(image=img, box=f32([[0.2, 0.1], [0.7, 0.5]])))
  record("edge_draw_bbox_gray", "draw_bbox", dict(image=img[..., :1], bbox=f32([0.1, 0.2, 0.6, 0.9])), "squeezed.")
  record("edge_masked_concat", "masked_concat(['a', 'b'], 'c', m=[True, False])", dict(a=i32([[1, 2]]), b=i32([[3, 4], [5, 6]])))
  record("edge_keep_nothing", "keep", dict(a=i32(1)))
  record("edge_lower_nested", "lower(key='t')", dict(t=[["A", "É"], ["b", ""]]))
  values = dict(t="x", l=[["a", "b"], ["c", "d"]], e=f32(np.zeros((2, 0))), s=f32([1e-40, -1e-40, 2e-38, 2**-14, 79337.65625]))
  record("edge_strfmt", "strfmt('{}{t}{l}', 'o')|strfmt('{e}{s}', 'p')|keep('o', 'p')", values, "lists, no values, denormals, ties.")
  record("edge_slash_in_key", "choice(1, key='a/b')", {"a/b": i32([7])}, "a key that has a slash.")
  noise = np.random.default_rng(0).integers(0, 256, (12, 9, 3)).astype(np.uint8)
  c.save_case("ppmore_edge_sharpness", kind="pp", name="autoaugment:sharpness", args=dict(factor=2.9), inputs=dict(image=noise),
              outputs=dict(image=autoaugment.sharpness(tf.constant(noise), 2.9).numpy()), note="the same to the bit.")


def files(img):
  """Formats of few bytes or many channels."""
  picture = Image.fromarray(img)
  alpha = Image.fromarray(np.concatenate([img, 255 - img[..., :1]], -1))
  palette = picture.quantize(5)
  for label, image, fmt, pp, atol in (
      ("bmp_gray", picture.convert("L"), "BMP", "decode(channels=0)", 0), ("bmp_palette", palette, "BMP", "decode", 0),
      ("bmp_alpha", alpha, "BMP", "decode(channels=4)", 0), ("gif_0", palette, "GIF", "decode(channels=0)", 0),
      ("png_to_gray", picture, "PNG", "decode(1)", 0), ("png_1_bit", picture.convert("1"), "PNG", "decode(channels=4)", 0), ("png_gray_alpha", alpha.convert("LA"), "PNG", "decode(channels=0)", 0),
      ("jpeg_cmyk", picture.convert("CMYK"), "JPEG", "decode", 6), ("outkey", picture, "PNG", "decode(inkey='image', outkey='o')|drop('image')", 0)):
    buffer = io.BytesIO()
    image.save(buffer, fmt)
    out = builder.get_preprocess_fn(pp, log_data=False)({"image": tf.constant(buffer.getvalue())})
    c.save_case(f"ppmore_edge_decode_{label}", kind="pp", name="decode", args=dict(pp=pp), inputs=dict(image=buffer.getvalue()),
                outputs={k: v.numpy() for k, v in out.items()}, note=f"{fmt}. `image` is the file.", atol=atol)


def tokens():
  model = io.BytesIO()
  sentencepiece.SentencePieceTrainer.train(
      sentence_iterator=iter(SENTENCES), model_writer=model, vocab_size=90, model_type="unigram", pad_id=0, eos_id=1, unk_id=2,
      bos_id=-1, minloglevel=2, hard_vocab_limit=False, normalization_rule_name="identity", num_threads=1)
  path = "/tmp/edges.model"
  with open(path, "wb") as f:
    f.write(model.getvalue())
  args = dict(max_len=7, eos="sticky", pad_value=0, sample_if_multi=False)
  op = ops_text.get_pp_tokenize(model=path, inkey="t", **args)
  c.save_case("ppmore_edge_tokenize_list", kind="pp", name="tokenize", args=args, inputs=dict(model=model.getvalue()),
              outputs=dict(labels=op({"t": tf.constant(TEXTS)})["labels"].numpy()), string_inputs=dict(texts=TEXTS),
              note="all texts in one call: rows are as long as the longest before they are cut, so a sticky end may be padding.")


def boxes():
  """What inception_box draws where it has to cover half of one of two objects; and where area 12 is a limit."""
  draws = 400
  objects = f32([[0.2, 0.1, 0.5, 0.6], [0.6, 0.6, 0.9, 0.9]])
  for label, pp, shape, inputs in (("covering", "inception_box(min_obj_cover=0.5)", [120, 160, 3], {"objects/bbox": objects}),
                                   ("limit", "inception_box(area=(0.1, 0.2), aspect=(0.5, 2.0))", [10, 12, 3], {})):
    data = {"image": tf.zeros(shape), "objects": {"bbox": tf.constant(objects)}}
    draw = tf.function(lambda fn=builder.get_preprocess_fn(pp, log_data=False), data=data: fn(dict(data))["box"])
    drawn = np.array([np.concatenate([part.numpy() for part in draw()]) for _ in range(draws)])
    c.save_case(f"ppmore_edge_inception_box_{label}", kind="pp", name="inception_box", distribution=True,
                args=dict(pp=pp, draws=draws, image_shape=shape), inputs=inputs, outputs=dict(boxes=drawn), note="(y, x, h, w).")


if __name__ == "__main__":
  c.clear("ppmore_edge_")
  small = photo()[20:25, 40:46]
  arrays(small)
  files(photo()[20:27, 40:49])
  tokens()
  boxes()
