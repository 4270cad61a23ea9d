"""Cases of kind `pp` for render_unifont, with the letters of unifont_sample.hex (from Unifont, OFL-1.1) as the font."""

import os
import pathlib
import sys
import tempfile

import common as c

SAMPLE = c.HERE / "unifont_sample.hex"

CASES = {
    "default": ("render_unifont(image_size=64)", "a cat, a dog and THE Zebra."),
    "multilingual": ("render_unifont(image_size=64)", "猫 犬字 жщя ñß 안녕 Ä Ω"),
    "cut": ("render_unifont(image_size=32)", "the quick brown fox jumps over the lazy dog 0123"),
    "narrow": ("render_unifont(image_size=40, spacing=0, min_width=1)", "ill. i, l!"),
    "spaced": ("render_unifont(image_size=64, spacing=3, min_width=8, max_chars=9)", "a bc. d:e f"),
    "monospace": ("render_unifont(image_size=64, monospace=True, lower=False)", "AZ a: z"),
    "brightness": ("render_unifont(image_size=32, background_brightness=200, text_brightness=255)", "ab"),
    "dark": ("render_unifont(image_size=32, background_brightness=255, text_brightness=3)", "ab"),
    "spaces": ("render_unifont(image_size=32)", "  a  "),
    "unknown": ("render_unifont(image_size=32)", "a\u05d0b"),
    "keys": ('render_unifont(inkey="t", outkey="labels", image_size=32, lower=True)', "Ab"),
    "size_8": ("render_unifont(image_size=32, font_size=8)", "a cat"),
}


def main():
  sample = SAMPLE.read_text()
  with tempfile.TemporaryDirectory() as folder:
    fonts = pathlib.Path(folder) / "big_vision/pp/proj/clippo"
    fonts.mkdir(parents=True)
    (fonts / "unifont-9.0.06.hex").write_text(sample)
    (fonts / "unifont_upper-9.0.06.hex").write_text("")
    os.chdir(folder)
    from big_vision.pp import builder
    import big_vision.pp.proj.clippo.pp_ops  # pylint: disable=unused-import
    import tensorflow as tf
    for label, (pp, text) in CASES.items():
      inkey = "t" if '"t"' in pp else "texts"
      outkey = "labels" if "labels" in pp else "image"
      try:
        image = builder.get_preprocess_fn(pp)({inkey: tf.constant(text)})[outkey].numpy()
      except Exception as e:  # pylint: disable=broad-except
        print(label, "fails:", str(e)[:300], file=sys.stderr)
        continue
      c.save_case(f"pp_clippo_{label}", kind="pp", name="render_unifont", args=dict(pp=pp), inputs={inkey: text},
                  string_inputs={inkey: text}, outputs={outkey: image}, note="letters of unifont_sample.hex.",
                  # A whole font has that letter.
                  only_for_tests=label == "unknown")


if __name__ == "__main__":
  c.clear("pp_clippo_")
  main()
