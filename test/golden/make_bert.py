"""Cases of kinds `model` and `init_exact` for proj.flaxformer.bert in small: with FLAXFORMER, a checkout of google/flaxformer."""

import dataclasses
import os
import sys
import types
from unittest import mock

import common as c

sys.path.insert(0, os.environ["FLAXFORMER"])


class Quantisation(types.ModuleType):
  """Stands for the modules of AQT, which Flaxformer imports and BERT doesn't use."""
  __path__ = []

  def __getattr__(self, name):
    if name.startswith("__"):
      raise AttributeError(name)
    return mock.MagicMock(name=name)


for module in ("", ".jax_legacy", ".jax_legacy.jax", *(f".jax_legacy.jax.{name}" for name in (
    "flax_layers", "primitives", "quantization", "quant_config", "aqt_config"))):
  sys.modules[f"aqt{module}"] = Quantisation(f"aqt{module}")

from big_vision.models.proj.flaxformer import bert
from flaxformer.architectures.bert import configs
import jax
import numpy as np
import tensorflow as tf

SIZES = dict(hidden_size=8, intermediate_dim=16, num_hidden_layers=2, num_attention_heads=2, vocab_size=20, max_length=9)
Base = configs.BertBaseConfig


def model_of(num_classes=None, head_zeroinit=True, **sizes):
  configs.BertBaseConfig = lambda: dataclasses.replace(Base(), **sizes)
  return bert.Model(config="base", num_classes=num_classes, head_zeroinit=head_zeroinit)


RENAMED = (
    ("embedder/embedders_token_ids/embedding", "embeddings/word_embeddings"),
    ("embedder/embedders_position_ids/embedding", "embeddings/position_embeddings"),
    ("embedder/embedders_segment_ids/embedding", "embeddings/token_type_embeddings"),
    ("attention_block/attention_layer/", "attention/self/"),
    ("attention_block/dense_layer", "attention/output/dense"),
    ("attention_block/layer_norm", "attention/output/LayerNorm"),
    ("mlp_block/mlp/dense_layer", "intermediate/dense"),
    ("mlp_block/dense_layer", "output/dense"),
    ("mlp_block/layer_norm", "output/LayerNorm"),
    ("encoder_block/layer_sequence/layers_", "encoder/layer_"),
)


def save_released(params):
  """Writes bert_checkpoint/, as BERT's authors did, and checks that the original loads it."""
  folder = c.HERE / "bert_checkpoint"
  folder.mkdir(exist_ok=True)
  variables = {"global_step": np.int64(7), "bert/pooler/dense/kernel": np.eye(8, dtype=np.float32),
               "bert/pooler/dense/bias": np.zeros(8, np.float32)}
  for name, value in c.flat(params["BertEncoder_0"]).items():
    name = "embeddings/" + name.replace("layer_norm", "LayerNorm") if name.startswith("layer_norm") else name
    for here, there in RENAMED:
      name = name.replace(here, there)
    name = name.replace("LayerNorm/scale", "LayerNorm/gamma").replace("LayerNorm/bias", "LayerNorm/beta")
    variables["bert/" + name] = value
  tf.compat.v1.disable_eager_execution()
  with tf.compat.v1.Session() as session:
    made = [tf.compat.v1.get_variable(name, initializer=value) for name, value in variables.items()]
    session.run(tf.compat.v1.global_variables_initializer())
    tf.compat.v1.train.Saver(made).save(session, str(folder / "bert_model.ckpt"), write_meta_graph=False, write_state=False)
  loaded = bert.load(jax.tree.map(np.zeros_like, params), str(folder))
  for name, value in c.flat(params).items():
    np.testing.assert_array_equal(c.flat(loaded)[name], value)


def main():
  text = np.random.default_rng(3).integers(1, 20, (3, 7)).astype(np.int32)
  text[1, 4:] = 0
  text[2, 1:] = 0
  for label, args, note in (
      ("head", dict(num_classes=5, head_zeroinit=False), "two texts are padded."),
      ("nohead", dict(), "the representation of the first token.")):
    model = model_of(**SIZES, **args)
    params = c.perturb(model.init(jax.random.PRNGKey(0), text)["params"], 4)
    y, out = jax.device_get(jax.jit(lambda p: model.apply({"params": p}, text))(params))  # pylint: disable=cell-var-from-loop
    c.save_case(f"model_bert_{label}", kind="model", name="proj/flaxformer/bert", args=dict(config="base", **SIZES, **args),
                inputs={"text": text, **c.flat(params, "params/")}, outputs={"output": y, **c.flat(out, "out/")},
                note=note, atol=2e-5, rtol=1e-4)
  save_released(params)  # Of the last case, which has no head.
  args = dict(SIZES, num_classes=5, head_zeroinit=False)
  params = model_of(**args).init(jax.random.PRNGKey(5), text)["params"]
  c.save_case("init_exact_bert", kind="init_exact", name="proj/flaxformer/bert", args=dict(config="base", **args),
              call=dict(seed=5), inputs={"text": text}, outputs=c.flat(params, "params/"), note="model.init(PRNGKey(5), ...)",
              atol=2e-6, rtol=2e-6)


if __name__ == "__main__":
  for prefix in ("model_bert_", "init_exact_bert"):
    c.clear(prefix)
  main()
