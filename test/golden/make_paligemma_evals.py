"""paligemma_evals.json: metrics of the original's evaluators of PaliGemma's transfers for made-up answers.

Each entry: the evaluator's options, the examples as [what was answered, what the data says], the metrics, and what it writes.
Of captions also the words that COCO's tokenizer makes of them; that needs Java, and pycocoevalcap on the path.
"""

import json
import tempfile

from absl import flags
import common as c
from big_vision.evaluators.proj.paligemma import perplexity
from big_vision.evaluators.proj.paligemma.transfers import chartqa
from big_vision.evaluators.proj.paligemma.transfers import coco_caption
from big_vision.evaluators.proj.paligemma.transfers import pope
from big_vision.evaluators.proj.paligemma.transfers import rsvqa
from big_vision.evaluators.proj.paligemma.transfers import science_qa
from big_vision.evaluators.proj.paligemma.transfers import segmentation
from big_vision.evaluators.proj.paligemma.transfers import storepreds
from big_vision.evaluators.proj.paligemma.transfers import tallyqa
from big_vision.evaluators.proj.paligemma.transfers import vqa
from big_vision.evaluators.proj.paligemma.transfers import vqav2
from big_vision.pp.proj.paligemma import segmentation as pp_segmentation
import numpy as np
import tensorflow as tf
from pycocoevalcap.tokenizer import ptbtokenizer


flags.DEFINE_string("workdir", None, "That of a run.")
flags.FLAGS(["make_paligemma_evals"])


class Answers:
  """A tokenizer whose tokens are the answers' numbers."""

  def __init__(self, texts):
    self.texts = texts

  def to_str(self, tokens, stop_at_eos=True):
    return self.texts[int(tokens)] if np.ndim(tokens) == 0 else [self.texts[int(t)] for t in tokens]


def column(values):
  if isinstance(values[0], list):  # As the original's batches have texts of different numbers.
    out = np.empty(len(values), object)
    for i, value in enumerate(values):
      out[i] = np.array(value)
    return out
  return np.array(values, object if isinstance(values[0], str) else None)


def run(module, examples, **options):
  texts = [answer for answer, _ in examples]
  ev = module.Evaluator.__new__(module.Evaluator)
  batch = {k: column([truth[k] for _, truth in examples]) for k in examples[0][1]}
  batch["_mask"] = np.ones(len(examples), bool)
  file = tempfile.mktemp()
  ev.get_data_iter, ev.steps, ev.tok = lambda: iter([batch]), 1, Answers(texts)
  ev.ds, ev.data_iter = None, iter([batch])
  ev.decode = lambda state, batch: np.arange(len(texts))
  ev.outfile = ev.preds_outfile = file
  ev.annot_outfile = file + "annotations"
  ev.out_question_key, ev.out_answer_key = "question_id", "answer"
  ev.id_key = options.get("id_key", "id")
  ev.postproc = (lambda s: s.lower()) if options.get("to_lower") else lambda s: s
  if module is science_qa:
    del ev.postproc  # It is a method there.
  ev.metrics = options.get("metrics", ())
  module.u.get_local_slice_from_fsarray = lambda x: x
  metrics = {k: v for k, v in ev.run(None)}
  written = json.load(open(file)) if module is not tallyqa else None
  return dict(options=options, examples=examples, metrics={k: np.asarray(v).tolist() for k, v in metrics.items()}, written=written)


VQA = [
    ("Two dogs", dict(answers=["two dogs", "Two dogs", "two dogs", "dogs"], question_id=3)),
    ("café au lait", dict(answers=["cafe au lait", "coffee", "latte"], question_id=4)),
    ("a", dict(answers=["abcd", "b"], question_id=5)),
    ("", dict(answers=["", "nothing"], question_id=6)),
    ("\U0001F600\U0001F601\U0001F602", dict(answers=["\U0001F600\U0001F601x"], question_id=7)),
    ("nobody knows", dict(answers=[], question_id=8)),
]
SINGLE = [
    ("Paris", dict(answer="paris", question_id=1)),
    ("12 km", dict(answer="12 kg", question_id=2)),
    ("left", dict(answer="right", question_id=3)),
]
TEN = lambda *texts: [texts[i % len(texts)] for i in range(10)]
V2 = [
    ("Yes", dict(answers=TEN("yes"), answer_type="yes/no", question_id=1)),
    ("yes ", dict(answers=TEN("yes", "Yes!", "no", "maybe"), answer_type="yes/no", question_id=2)),
    ("The two", dict(answers=TEN("2", "two", "3", "4", "5"), answer_type="number", question_id=3)),
    ("1,000 m.", dict(answers=TEN("1000 m", "1,000", "one"), answer_type="number", question_id=4)),
    ("it isnt a t-shirt", dict(answers=TEN("it isn't t shirt", "shirt", "blue/red"), answer_type="other", question_id=5)),
    ("blue\nred", dict(answers=TEN("blue red", "blue/ red", "blue,red", "3.5 p.m."), answer_type="other", question_id=6)),
    (" ".join(vqav2.REPLACEMENTS), dict(answers=TEN("a", "b"), answer_type="other", question_id=7)),
    ("no truth", dict(answers=[], answer_type="other", question_id=8)),
    ("3.5 p.m. (the end); [x]", dict(answers=TEN("3.5 pm", "x? y!", "\u0663,\u0664 a-b"), answer_type="other", question_id=9)),
]
RS = [
    ("yes", dict(answers=["yes"], question_type="presence", question_id=1)),
    ("no", dict(answers=["yes"], question_type="presence", question_id=2)),
    ("yes", dict(answers=["yes"], question_type="comp", question_id=3)),
    ("7", dict(answers=["8"], question_type="count", question_id=4)),
]
RS_LOW = RS + [("rural", dict(answers=["rural"], question_type="rural_urban", question_id=5))]
CHART = [(a, dict(answer=b, question_id=i)) for i, (a, b) in enumerate([
    ("10", "10"), ("10.4", "10"), ("10.6", "10"), ("0.001", "0"), ("0", "0"), ("5%", "0.051"), ("1e3", "1_000"), ("Yes", "yes"),
    (" 7 ", "7.1"), ("-3", "-3.1"), ("nan", "3"), ("inf", "inf"), ("5%%", "0.05"), ("12abc", "12")])]
POPE = [(a, dict(answer=b, question_id=i)) for i, (a, b) in enumerate([("Yes", "yes"), ("no", "yes"), ("maybe", "no")])]
TALLY = [(a, dict(answer=b, issimple=s)) for a, b, s in [
    ("two", "2", 1), ("3", "three", 0), ("none", "1", 0), ("Twelve", "12", -1), ("0", "zero", 1)]]
SCIENCE = [(a, dict(answer=b, question_id=i)) for i, (a, b) in enumerate([
    ("The answer is A.", "The answer is A."), ("the answer is b. Because", "The answer is C."), ("A", "The answer is A.")])]
CAPTIONS = [
    ("A man's dog isn't on the street-side.", ["A dog near a street.", "The man's dog isn't here, on the street-side"]),
    ("two red buses & a car (parked) at 12:30 p.m.", ["Two \"red\" buses", "a parked car at 12:30 p.m. near two red buses"]),
    ("people", ["a group of people standing together", "some people", "people, people!"]),
    ("", ["an empty street", "nothing at all"]),
    ("a cat on a cat on a cat on a mat", ["a cat on a mat", "a mat with a cat on it"]),
]
CAPTIONS = [(text, {"image/id": i, "captions": captions}) for i, (text, captions) in enumerate(CAPTIONS)]
WORDS = [
    "A man's dog isn't on the street-side, near a U.S. flag.", "Two \"red\" buses & a car (parked) at 12:30 p.m.",
    "It's the 1/2 mile sign; can't be 3.5 or 1,000!", "the dogs' bowls... aren't full -- they're empty",
    "A cannot-miss sign: \"STOP\" [all way]", "Mr. Smith, Dr. Who vs. St. Paul", "50% off $5.00 #1 @home a.b@c.com",
    "rock'n'roll o'clock 'twas 'em", "a t-shirt says \u201chello\u201d it\u2019s", "caf\u00e9 \u2014 d\u00e9j\u00e0 vu", "a.m. in the U.K. etc.",
    "I'm gonna see, we'll see!?", "and/or +1 -1 {x}"]

WEIGHTS = {  # The decoder of masks, made by a rule that JavaScript can repeat.
    "decoder.0": (128, 512, 1, 1), "decoder.2.net.0": (128, 128, 3, 3), "decoder.2.net.2": (128, 128, 3, 3),
    "decoder.2.net.4": (128, 128, 1, 1), "decoder.3.net.0": (128, 128, 3, 3), "decoder.3.net.2": (128, 128, 3, 3),
    "decoder.3.net.4": (128, 128, 1, 1), "decoder.4": (128, 128, 4, 4), "decoder.6": (128, 64, 4, 4),
    "decoder.8": (64, 32, 4, 4), "decoder.10": (32, 16, 4, 4), "decoder.12": (1, 16, 1, 1)}


def wave(shape, scale):
  n = int(np.prod(shape))
  return (scale * np.sin(np.arange(n, dtype=np.float64) ** 2 % 1000)).astype(np.float32).reshape(shape)


def segmented():
  """Boxes and masks of six answers: good, off, with a wrong token, inverted, too short, and of no pixel."""
  checkpoint = {"_vq_vae._embedding": wave((128, 512), 1.0)}
  for name, shape in WEIGHTS.items():
    transposed = name in ("decoder.4", "decoder.6", "decoder.8", "decoder.10")
    checkpoint[name + ".weight"] = wave(shape, 2.0 / np.sqrt(np.prod(shape[2:]) * (shape[0] if transposed else shape[1])))
    checkpoint[name + ".bias"] = wave((shape[1] if transposed else shape[0],), 0.1)
  checkpoint["decoder.12.bias"] -= np.float32(0.15)  # So that masks have an inside and an outside.
  file = tempfile.mktemp(suffix=".npz")
  np.savez(file, **checkpoint)
  codes = [[128 * 8 + (7 * i + 3 * j) % 128 for i in range(16)] for j in range(6)]
  tokens = [
      [100, 200, 900, 800] + codes[0], [0, 300, 500, 1023] + codes[1], [100, 200, 900, 5000] + codes[2],
      [900, 200, 100, 800] + codes[3], [100, 200, 900, 800] + codes[4][:3] + [0] * 13, [100, 200, 101, 201] + codes[5]]
  boxes = [[0.1, 0.2, 0.9, 0.8], [0.2, 0.3, 0.7, 0.9], [0.1, 0.2, 0.9, 0.8], [0.1, 0.2, 0.9, 0.8], [0.1, 0.2, 0.9, 0.8], [0, 0, 0.5, 0.5]]
  sizes = [[90, 70], [40, 100], [30, 30], [30, 30], [30, 30], [30, 30]]
  masks = [(np.add.outer(7 * np.arange(h), 3 * np.arange(w)) % 11 < 6).astype(np.uint8)[..., None] for h, w in sizes]
  ev = segmentation.Evaluator.__new__(segmentation.Evaluator)
  objects = np.empty(6, object)
  for i, mask in enumerate(masks):
    objects[i] = mask
  batch = {"_mask": np.ones(6, bool), "objects/mask": objects, "objects/bbox": np.array(boxes)}
  ev.get_data_iter, ev.steps = lambda: iter([batch]), 1
  ev.decode = lambda state, batch: np.array(tokens)
  ev.loc0, ev.seg0, ev.det_ious = np.array([0]), np.array([1024]), (0.5, 0.75)
  ev.reconstruct_masks = segmentation.get_reconstruct_masks(file)
  segmentation.u.get_local_slice_from_fsarray = lambda x: x
  decoded = np.asarray(ev.reconstruct_masks(np.array(codes) - 1024))[:, ::9, ::7, 0]
  return dict(
      tokens=tokens, boxes=boxes, sizes=sizes, metrics={k: float(v) for k, v in ev.run(None)},
      decoded=np.round(decoded[:2].astype(float), 6).tolist())


ENCODER = {
    "encoder.0": (6, 1, 4, 4), "encoder.2": (5, 6, 4, 4), "encoder.4": (7, 5, 4, 4), "encoder.6": (8, 7, 4, 4),
    "encoder.8.net.0": (8, 8, 3, 3), "encoder.8.net.2": (8, 8, 3, 3), "encoder.8.net.4": (8, 8, 1, 1),
    "encoder.9.net.0": (8, 8, 3, 3), "encoder.9.net.2": (8, 8, 3, 3), "encoder.9.net.4": (8, 8, 1, 1),
    "encoder.10": (4, 8, 1, 1)}


def encoded():
  """Boxes and masks as tokens; the encoder is a narrow one."""
  checkpoint = {"_vq_vae._embedding": wave((128, 4), 1.0)}
  for name, shape in ENCODER.items():
    checkpoint[name + ".weight"] = wave(shape, 2.0 / np.sqrt(np.prod(shape[1:])))
    checkpoint[name + ".bias"] = wave(shape[:1], 0.1)
  file = tempfile.mktemp(suffix=".npz")
  np.savez(file, **checkpoint)
  op = pp_segmentation.get_refcoco_mask2str(file)
  found = []
  for (h, w), box in [((90, 70), [0.1, 0.2, 0.9, 0.8]), ((40, 200), [0.0, 0.25, 1.0, 0.7525]), ((64, 64), [0.2, 0.2, 0.23, 0.5])]:
    mask = (255 * (np.add.outer(7 * np.arange(h), 3 * np.arange(w)) % 23 < 11)).astype(np.uint8)
    data = op({
        "objects/mask": tf.constant(np.repeat(mask[..., None], 3, 2)), "objects/bbox": tf.constant(box, tf.float32),
        "objects/refs/sentence": tf.constant("it")})
    found.append(dict(size=[h, w], box=box, suffix=data["suffix"].numpy().decode()))
  return found


def record_perplexity():
  logits, labels = c.normal(1, (3, 4, 7), 2.0), np.random.default_rng(2).integers(0, 7, (3, 5)).astype(np.int32)
  labels[0, 2] = labels[2, 3] = 0
  mask_loss = np.array([[0, 1, 1, 0, 1], [0, 0, 0, 0, 0], [0, 1, 0, 1, 1]], np.int32)
  for name, options, batch in [
      ("shifted", dict(key="text", shift_labels=True), dict(text=labels, mask_loss=mask_loss)),
      ("padded", dict(key="labels", shift_labels=False, pad_token=0), dict(labels=labels[:, 1:]))]:
    fn = perplexity.perplexity(lambda state, batch: (logits, {}), **options)
    c.save_case(
        f"eval_paligemma_perplexity_{name}", kind="evaluator", name="proj/paligemma/perplexity", args=options,
        inputs=dict(logits=logits, **batch), outputs=fn(None, batch), atol=1e-5, rtol=1e-5, note="One text counts no word.")


if __name__ == "__main__":
  record_perplexity()
  found = {
      "vqa": [run(vqa, VQA), run(vqa, VQA[:-1], to_lower=True), run(vqa, SINGLE, to_lower=True)],
      "vqav2": [run(vqav2, V2)],
      "rsvqa": [run(rsvqa, RS), run(rsvqa, RS_LOW)],
      "chartqa": [run(chartqa, CHART), run(chartqa, CHART, to_lower=True)],
      "pope": [run(pope, POPE)],
      "tallyqa": [run(tallyqa, TALLY)],
      "science_qa": [run(science_qa, SCIENCE)],
      "storepreds": [run(storepreds, [("a cat", dict(id=3)), ("a dog", dict(id=4))])],
      "coco_caption": [run(coco_caption, CAPTIONS, metrics=["cider", "bleu-4", "rouge"])],
  }
  found["segmentation"] = segmented()
  found["masks"] = encoded()
  words = ptbtokenizer.PTBTokenizer().tokenize({i: [{"caption": text}] for i, text in enumerate(WORDS)})
  found["words"] = [[text, words[i][0]] for i, text in enumerate(WORDS)]
  (c.HERE / "paligemma_evals.json").write_text(json.dumps(found, separators=(",", ":")) + "\n")
