"""Cases of the retrieval evaluator of image and text: recall of images by texts, and of texts by images."""

import common as c
import numpy as np
from big_vision.evaluators.proj.image_text import image_text_retrieval as retrieval


def recalls(distances, image_of):
  found = {
      "img2txt": retrieval.image_to_text_retrieval_eval(distances, image_of),
      "txt2img": retrieval.text_to_image_retrieval_eval(distances, image_of),
  }
  return {f"{direction}/{name}": np.float32(value) for direction, of in found.items() for name, value in of.items()}


def save(label, distances, image_of, outputs, note):
  c.save_case(f"eval_retrieval_{label}", kind="evaluator", name="proj/image_text/image_text_retrieval", args={},
              inputs=dict(dist_matrix=distances, text_image_correspondence=image_of.astype(np.int32)),
              outputs=outputs, note=note, atol=1e-6, rtol=1e-6)


def main():
  rng = np.random.default_rng(0)
  for label, image_of, note in (
      ("five", np.repeat(np.arange(12), 5), "five captions an image, in order."),
      ("ragged", rng.permutation(np.repeat(np.arange(14), np.arange(14) % 4)), "0 to 3 captions an image, shuffled."),
      ("few", np.array([1, 0, 2]), "fewer candidates than the largest threshold.")):
    images = int(image_of.max()) + 1
    embedded = rng.normal(size=(images, 6))
    texts = embedded[image_of] + rng.normal(size=(len(image_of), 6)) * 0.9
    distances = -(embedded @ texts.T).astype(np.float32)
    save(label, distances, image_of, recalls(distances, image_of), note)


def ties():
  """Equal distances, which NumPy's default sort orders in one way with AVX2, in others with AVX-512 or neither: recorded are those
  where no order of equals changes a recall."""
  image_of = np.repeat(np.arange(20), 3)
  rng = np.random.default_rng(0)
  right = np.arange(20)[:, None] == image_of[None]
  while True:
    distances = rng.integers(0, 40, right.shape).astype(np.float32) - 12 * right
    found = recalls(distances, image_of)
    if all(recalls(distances + shift * right, image_of) == found for shift in (-0.25, 0.25)):
      break
  save("ties", distances, image_of, found, "many equal distances, none of which decides.")


def nans():
  distances = np.random.default_rng(0).normal(size=(12, 12)).astype(np.float32) - 2 * np.eye(12, dtype=np.float32)
  distances[np.arange(12), np.arange(12) % 6] = np.nan
  image_of = np.arange(12)
  save("nan", distances, image_of, recalls(distances, image_of), "a NaN in each row, half of them right: the sort puts it last.")


if __name__ == "__main__":
  c.clear("eval_retrieval_")
  main()
  ties()
  nans()
