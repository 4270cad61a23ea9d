"""Cases of kind `pp`: the ops that the base configurations use, on a small photograph-like picture."""

import io

import common as c
from big_vision.pp import builder
import big_vision.pp.ops_general  # pylint: disable=unused-import
import big_vision.pp.ops_image  # pylint: disable=unused-import
import numpy as np
from PIL import Image
import tensorflow as tf

H, W = 60, 80


def photo():
  """Sky, a hill, a sun, a striped house, some grain: smooth parts, edges and texture."""
  rng = np.random.default_rng(0)
  y, x = np.mgrid[:H, :W] / [[[H]], [[W]]]
  img = np.stack([0.35 + 0.3 * y, 0.55 + 0.25 * y, 0.95 - 0.2 * y], -1)
  hill = y > 0.62 + 0.12 * np.sin(4 * x + 0.5)
  texture = 0.08 * np.sin(37 * x) * np.cos(53 * y)
  img[hill] = (np.stack([0.25 + 0.2 * x + texture, 0.5 - 0.2 * x + texture, 0.15 + 0.1 * y], -1))[hill]
  sun = np.clip(8 * (0.13 - np.hypot(x - 0.75, (y - 0.22) * H / W)), 0, 1)[..., None]
  img = img * (1 - sun) + sun * np.array([1.0, 0.9, 0.5])
  house = (np.abs(x - 0.3) < 0.12) & (y > 0.45) & (y < 0.85)
  img[house] = np.where((np.floor(x * W) % 4 < 2)[..., None], [0.8, 0.2, 0.15], [0.95, 0.9, 0.85])[house]
  img = 255 * img + rng.normal(0, 3, img.shape)
  return np.clip(np.round(img), 0, 255).astype(np.uint8)


def encode(image, fmt, **kw):
  f = io.BytesIO()
  Image.fromarray(image).save(f, fmt, **kw)
  return f.getvalue()


def to_tf(v):
  if isinstance(v, bytes):
    return tf.constant(v)
  if isinstance(v, dict):
    return {k: to_tf(x) for k, x in v.items()}
  return tf.constant(v)


def run(pp, data):
  out = builder.get_preprocess_fn(pp, log_data=False)(to_tf(data))
  return c.jax.tree.map(lambda t: t.numpy(), out)


def record(label, pp, data, note, atol=0.0, rtol=0.0, **more):
  name = pp.split("(")[0] if "|" not in pp else "pipeline"
  c.save_case(f"pp_{label}", kind="pp", name=name, args=dict(pp=pp), inputs=c.flat(data), outputs=c.flat(run(pp, data)),
              note=note, atol=atol, rtol=rtol, **more)


def decoding(img):
  jpeg, jpeg444 = encode(img, "JPEG", quality=90), encode(img, "JPEG", quality=95, subsampling=0)
  grey = encode(np.array(Image.fromarray(img).convert("L")), "JPEG", quality=90)
  progressive = encode(img, "JPEG", quality=90, progressive=True)
  png, png_grey = encode(img, "PNG"), encode(img[..., 0], "PNG")
  rgba = encode(np.concatenate([img, np.full((H, W, 1), 128, np.uint8)], -1), "PNG")
  palette = io.BytesIO()
  Image.fromarray(img).quantize(16).save(palette, "PNG")
  loose = " TF's default is libjpeg's fast DCT; the tolerance is what the accurate one (as PIL's) is off by."
  record("decode_jpeg", "decode", dict(image=jpeg), "4:2:0." + loose, atol=6)
  record("decode_jpeg_precise", "decode(precise=True)", dict(image=jpeg), "4:2:0, accurate DCT.", atol=1)
  record("decode_jpeg444", "decode", dict(image=jpeg444), "4:4:4." + loose, atol=10)
  record("decode_jpeg444_precise", "decode(precise=True)", dict(image=jpeg444), "4:4:4, accurate DCT.", atol=1)
  record("decode_jpeg_progressive", "decode(precise=True)", dict(image=progressive), "progressive, accurate DCT.", atol=1)
  record("decode_jpeg_grey", "decode", dict(image=grey), "grey to three equal channels." + loose, atol=3)
  record("decode_jpeg_channels1", "decode(1)", dict(image=jpeg), "colour to grey: the file's Y." + loose, atol=3)
  record("decode_png", "decode", dict(image=png), "PNG.")
  record("decode_png_grey", "decode", dict(image=png_grey), "grey PNG to three channels.")
  record("decode_png_rgba", "decode", dict(image=rgba), "alpha is dropped, not blended.")
  record("decode_png_rgba4", "decode(channels=4)", dict(image=rgba), "alpha is kept.")
  record("decode_png_palette", "decode", dict(image=palette.getvalue()), "palette PNG.")
  record("decode_png_precise", "decode(precise=True)", dict(image=png), "decode_jpeg reads PNG too.")
  record("decode_key", "decode(1, key='photo')", dict(photo=png_grey, image=np.int32([1])), "another key.")
  record("eval_pipeline", "decode|resize_small(32)|central_crop(28)|value_range(-1, 1)|onehot(10, key='label', "
         "key_result='labels')|keep('image', 'labels')", dict(image=png, label=np.int32(3)),
         "the evaluation pipeline of the ViT configurations.", atol=0.0079, rtol=0)
  return jpeg444


def resizing(full):
  img = full[14:49, 12:62]  # 35 x 50: some of everything.
  f32 = img.astype(np.float32) / 255
  record("resize_bilinear_f32_down", "resize(28)", dict(image=f32), "no antialias, half-pixel centres.", atol=1e-5, rtol=1e-5)
  for method in ("bilinear", "area", "bicubic", "nearest", "lanczos3", "gaussian", "mitchellcubic"):
    for antialias in (False, True):
      aa = "_aa" if antialias else ""
      args = f"method='{method}'" + (", antialias=True" if antialias else "")
      if method in ("bilinear", "area", "bicubic"):
        record(f"resize_{method}{aa}_down", f"resize((23, 31), {args})", dict(image=img), "down, uint8 (truncated).", atol=1.01)
        record(f"resize_{method}{aa}_up", f"resize((45, 37), {args})", dict(image=img[:20, :28]), "up, uint8 (truncated).", atol=1.01)
      if method != "area" or not antialias:
        record(f"resize_{method}{aa}_f32", f"resize((17, 23), {args})", dict(image=f32[:29, :40]), "float32.", atol=2e-5, rtol=1e-4)
        record(f"resize_{method}{aa}_mixed_f32", f"resize((40, 19), {args})", dict(image=f32[:29, :40]),
               "float32, one side up, the other down.", atol=2e-5, rtol=1e-4)
  record("resize_square", "resize(24)", dict(image=img), "an integer is both sides.", atol=1.01)
  record("resize_same", "resize((35, 50))", dict(image=img), "same size.")
  record("resize_key", "resize(8, inkey='image', outkey='small')|drop('image')", dict(image=img), "inkey and outkey.", atol=1.01)
  record("resize_f32_no_clip", "resize((9, 9), method='bicubic')", dict(image=c.normal(1, (20, 20, 3))),
         "float32 is not clipped to a range.", atol=2e-5, rtol=1e-4)
  record("resize_bicubic_clip", "resize((33, 33), method='bicubic')",
         dict(image=(255 * (np.indices((11, 11)).sum(0) % 2)[..., None]).repeat(3, -1).astype(np.uint8)),
         "overshoot is clipped to 0 and 255.", atol=1.01)
  for size in (24, 35, 40, 9):
    record(f"resize_small_{size}", f"resize_small({size})", dict(image=img), "area; sides are rounded half to even.", atol=1.01)
  record("resize_small_portrait", "resize_small(25)", dict(image=img.transpose(1, 0, 2)), "the other way round.", atol=1.01)
  record("resize_small_bilinear_aa", "resize_small(24, method='bilinear', antialias=True)", dict(image=img), "bilinear.", atol=1.01)
  record("resize_small_f32", "resize_small(23)", dict(image=f32), "area, float32.", atol=2e-5, rtol=1e-4)
  record("resize_long_32", "resize_long(32)", dict(image=full), "the longer side.", atol=1.01)
  for crop in ("", "28", "(20, 40)", "(21, 33)", "35"):
    record("central_crop_" + (crop.strip("()").replace(", ", "x") or "max"), f"central_crop({crop})", dict(image=img),
           "offset floor((H - h) / 2).")


def simple(img):
  small = img[:9, :7]
  for label, args, note in (
      ("default", "", "to -1..1."), ("0_1", "0, 1", "to 0..1."), ("clip", "-1, 1, 0, 200, clip_values=True", "clipped."),
      ("lists", "-1, 1, [0, 10, 20], [255, 200, 100]", "a range for each channel."),
      ("named", "vmin=-0.5, vmax=2, in_min=-1, in_max=1", "named.")):
    record(f"value_range_{label}", f"value_range({args})", dict(image=small), note, atol=1e-6, rtol=1e-6)
  record("value_range_f32", "value_range(0, 1, -1, 1)", dict(image=c.normal(2, (4, 4, 3))), "float32.", atol=1e-6, rtol=1e-6)
  record("vgg_value_range", "vgg_value_range", dict(image=small), "mean and deviation of ImageNet.", atol=1e-5, rtol=1e-5)
  record("vgg_value_range_args", "vgg_value_range((1, 2, 3), std=(4, 5, 6))", dict(image=small), "other numbers.", atol=1e-5, rtol=1e-5)
  record("clip_value_range", "clip_value_range", dict(image=small), "mean and deviation of CLIP.", atol=1e-5, rtol=1e-5)

  i32 = lambda *v: np.array(v, np.int32)
  record("onehot_scalar", "onehot(5)", dict(labels=np.int32(2)), "a scalar.")
  record("onehot_result", "onehot(5, key='label', key_result='labels')", dict(label=np.int32(4)), "the input stays.")
  record("onehot_multi", "onehot(6)", dict(labels=i32(1, 4, 1)), "several labels in one multi-hot vector.")
  record("onehot_multi_on_off", "onehot(6, on=0.9, off=0.02)", dict(labels=i32(1, 4, 1)), "on and off, multi-hot.")
  record("onehot_no_multi", "onehot(6, multi=False)", dict(labels=i32(1, 4, 1)), "an extra dimension.")
  record("onehot_on_off", "onehot(3, on=0.8, off=0.1)", dict(labels=np.int32(0)), "on and off.")
  record("onehot_empty", "onehot(4)", dict(labels=np.zeros(0, np.int32)), "no label: all off.")
  record("onehot_out_of_range", "onehot(4, multi=False)", dict(labels=i32(-1, 4, 2)), "out of range: all off.")

  data = dict(image=small, labels=i32(1, 2), label=np.int32(7))
  record("keep", "keep('image', 'labels')", data, "others are dropped.")
  record("keep_missing", "keep('image', 'nothing')", data, "a key that is not there is ignored.")
  record("drop", "drop('image', 'nothing')", data, "a key that is not there is ignored.")
  record("copy", "copy('image', 'copy')|resize(3, key='copy')", data, "the original stays.", atol=1.01)
  record("copy_nested", "copy('a', 'b')", dict(a=dict(x=i32(1), y=dict(z=i32(2, 3)))), "nested.")
  record("flatten", "flatten", dict(a=dict(b=i32(1), c=dict(d=i32(2, 3))), e=i32(4)), "names joined by slashes.")
  record("flatten_keys", "flatten(keys=['a'])", dict(a=dict(b=i32(1)), e=dict(f=i32(4))), "only a.")
  record("reshape", "reshape([3, 21, -1])", dict(image=small), "with -1.")
  record("reshape_key", "reshape([2, 2], key='x')", dict(x=np.arange(4, dtype=np.float32)), "another key.")
  record("squeeze_last_dim", "squeeze_last_dim(key='x')", dict(x=np.zeros((2, 3, 1), np.float32)), "squeeze.")
  record("concat", "concat(['a', 'b'], outkey='c', axis=0)", dict(a=i32(1, 2), b=i32(3)), "concat.")
  x = np.arange(6, dtype=np.int32).reshape(2, 3)
  for where in ("before", "after", "both"):
    record(f"pad_to_shape_{where}", f"pad_to_shape((5, 6), key='x', pad_value=-1, where='{where}')", dict(x=x),
           "odd padding; both: the larger half goes after.")
  record("pad_to_shape_none", "pad_to_shape((None, 6), key='x')", dict(x=x), "None leaves a dimension.")
  record("pad_to_shape_image", "pad_to_shape((12, 8, 3), pad_value=127)", dict(image=small), "an image.")
  record("setdefault_missing", "setdefault('x', 3)", dict(y=i32(1)), "a missing key: a scalar.")
  record("setdefault_empty", "setdefault('x', 3)", dict(x=np.zeros((0, 2), np.int32)), "empty: a shape with 1 for 0.")
  record("setdefault_present", "setdefault('x', 3)", dict(x=i32(1, 2)), "present: unchanged.")


def distributions(jpeg_of):
  def box_stats(boxes, h, w):
    b = np.asarray(boxes, np.float64)
    values = dict(area=b[:, 2] * b[:, 3] / (h * w), aspect=b[:, 3] / b[:, 2], y0=b[:, 0] / h, x0=b[:, 1] / w)
    hist = lambda v, lo, hi: np.histogram(v, 20, (lo, hi))[0].astype(np.int32)
    out = {"boxes": np.asarray(boxes, np.int32), "hist/area": hist(values["area"], 0, 1),
           "hist/log_aspect": hist(np.log(values["aspect"]), -0.5, 0.5),
           "hist/center_y": hist((b[:, 0] + b[:, 2] / 2) / h, 0, 1), "hist/center_x": hist((b[:, 1] + b[:, 3] / 2) / w, 0, 1)}
    for k, v in values.items():
      out[f"quantiles/{k}"] = np.quantile(v, [.01, .05, .1, .25, .5, .75, .9, .95, .99])
      out[f"mean/{k}"], out[f"std/{k}"] = v.mean(), v.std()
    return out

  y, x = np.mgrid[:H, :W]
  coords = np.stack([y, x, 0 * x], -1).astype(np.uint8)
  draws = 2000
  note = " boxes are (y0,x0,h,w) of each draw; compare distributions, not draws. Ranges of hist as in parity: area and centres (0,1), " \
         "log_aspect=log(w/h) (-.5,.5), 20 bins; quantiles .01 .05 .1 .25 .5 .75 .9 .95 .99."

  def draw(pp, data, read):
    fn = builder.get_preprocess_fn(pp, log_data=False)
    ds = tf.data.Dataset.range(draws).map(lambda _: fn(dict(to_tf(data)))["image"])
    return [read(v) for v in ds.as_numpy_iterator()]

  tf.random.set_seed(0)
  read = lambda v: (v[0, 0, 0], v[0, 0, 1], v.shape[0], v.shape[1])
  for label, pp, text in (
      ("inception_crop", "inception_crop", "default area 5..100, aspect 3/4..4/3."),
      ("inception_crop_area", "inception_crop(area_min=30, area_max=60)", "area 30..60."),
      ("random_crop", "random_crop((30, 50))", "uniform offsets, both ends included."),
      ("random_crop_full", "random_crop((60, 20))", "only one offset in y.")):
    c.save_case(f"pp_dist_{label}", kind="pp", name=pp.split("(")[0], distribution=True,
                args=dict(pp=pp, draws=draws, image_shape=[H, W, 3]),
                outputs=box_stats(draw(pp, dict(image=coords), read), H, W), note=text + note, atol=0.05, rtol=0.1)

  ramp = np.stack([4 * y, 3 * x, 128 + 0 * x], -1).astype(np.uint8)
  jpeg = jpeg_of(ramp)
  def read_ramp(v):
    h, w = v.shape[:2]
    y0 = np.round(v[..., 0].mean() / 4 - (h - 1) / 2)
    x0 = np.round(v[..., 1].mean() / 3 - (w - 1) / 2)
    return np.clip(y0, 0, H - h), np.clip(x0, 0, W - w), h, w
  pp = "decode_jpeg_and_inception_crop"
  c.save_case("pp_dist_decode_jpeg_inception_crop", kind="pp", name=pp, distribution=True,
              args=dict(pp=pp, draws=draws, image_shape=[H, W, 3]),
              outputs=box_stats(draw(pp, dict(image=jpeg), read_ramp), H, W),
              note="aspect .75..1.33. y0, x0 are read from the pixels of the decoded crop (+-1)." + note, atol=0.05, rtol=0.1)
  flips = draw("flip_lr", dict(image=coords), lambda v: v[0, 0, 1] != 0)
  c.save_case("pp_dist_flip_lr", kind="pp", name="flip_lr", distribution=True, args=dict(pp="flip_lr", draws=draws),
              outputs=dict(fraction_flipped=np.mean(flips)), note="a half: |f-0.5| < 4*0.5/sqrt(draws).", atol=0.05)
  # Not a distribution: after a crop, the pipeline's size is exact.
  sizes = [draw(f"inception_crop({s})|flip_lr", dict(image=coords), np.shape)[0] for s in (16, 224)]
  assert sizes == [(16, 16, 3), (224, 224, 3)], sizes


if __name__ == "__main__":
  c.clear("pp_", but="pp_clippo_")
  picture = photo()
  jpeg_bytes = decoding(picture)
  resizing(picture)
  simple(picture)
  distributions(lambda image: encode(image, "JPEG", quality=98, subsampling=0))
  print("PIL against TF:", {
      k: int(np.abs(np.array(Image.open(io.BytesIO(jpeg_bytes))).astype(int)
                    - tf.image.decode_jpeg(jpeg_bytes, dct_method=k).numpy().astype(int)).max())
      for k in ("INTEGER_FAST", "INTEGER_ACCURATE")})
