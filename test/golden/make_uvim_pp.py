"""Cases of kind `pp` of UViM: the hash of examples' names."""

import common as c
from big_vision.pp import builder
import big_vision.pp.ops_general  # pylint: disable=unused-import
import big_vision.pp.proj.uvim.pp_ops  # pylint: disable=unused-import
import numpy as np
import tensorflow as tf

TEXTS = {
    "empty": "",
    "short": "a",
    "word": "8 bytes!",
    "id": "imagenet2012-train.tfrecord-00000-of-01024__0",
    "unicode": "Grüße, 世界 🎨",
    "long": "x" * 300,
}


def main():
  c.clear("uvim_pp_")
  for label, text in TEXTS.items():
    pp = "strong_hash(inkey='tfds_id', outkey='image/id')|keep('image/id')"
    result = builder.get_preprocess_fn(pp)({"tfds_id": tf.constant(text)})["image/id"].numpy()
    low = np.array(int(result) & 0xFFFFFFFF, np.uint32).view(np.int32)
    c.save_case(f"uvim_pp_strong_hash_{label}", kind="pp", name="strong_hash", args=dict(pp=pp),
                string_inputs={"tfds_id": text}, outputs={"image/id": low},
                note="the low 32 bits of the original's int64.")


if __name__ == "__main__":
  main()
