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
    c.save_case(f"eval_retrieval_{label}", kind="evaluator", name="proj/image_text/image_text_retrieval", args={},
                inputs=dict(dist_matrix=distances, text_image_correspondence=image_of.astype(np.int32)),
                outputs=recalls(distances, image_of), note=note, atol=1e-6, rtol=1e-6)


if __name__ == "__main__":
  c.clear("eval_retrieval_")
  main()
