"""Cases of kind `random`: the streams of jax.random and the keys that Flax derives from a path.

Keys and bits are uint32, stored as int32 with the same bits.
"""

import json

import common as c
from big_vision.models import vit
import flax.core.scope
import jax
import jax.numpy as jnp
import numpy as np

from flax.core.scope import _fold_in_static  # pylint: disable=protected-access

R = jax.random

# What Flax folds into a key: the names on the path of the module, then the how-manieth draw it is.
PATHS = [
    ["embedding", 1], ["embedding", 2], [1], [2], ["head", 1],
    ["Transformer", "encoderblock_0", "MultiHeadDotProductAttention_0", "query", 1],
    ["Transformer", "encoderblock_11", "MlpBlock_0", "Dense_1", 2],
    ["Transformer", "encoderblock", "MlpBlock_0", "Dense_0", 3],
    ["MAPHead_0", 1], ["MAPHead_0", "MlpBlock_0", "Dense_0", 1],
    ["Transformer", "encoderblock_0", "MlpBlock_0", "Dropout_0", 1],
    ["Dropout_0", 1], ["a", 255], ["a", 256], ["a", 65536], ["a", 0], ["ab", "c"], ["a", "bc"], [],
]


def streams(seed):
  key = R.PRNGKey(seed)
  out = {"key": key}
  out["split2"] = R.split(key)
  out["split5"] = R.split(key, 5)
  for data in (0, 7, 12345, 2**31 + 5, 2**32 - 1):
    out[f"fold_in/{data}"] = R.fold_in(key, data)
  for shape in ((4,), (3, 5), (), (1025,)):
    out["bits/" + "x".join(map(str, shape))] = R.bits(key, shape)
  out["uniform"] = R.uniform(key, (2, 8))
  out["uniform/-1..1"] = R.uniform(key, (16,), minval=-1.0)
  out["uniform/0.1..0.7"] = R.uniform(key, (257,), minval=0.1, maxval=0.7)
  out["normal"] = R.normal(key, (1025,))
  out["normal/scalar"] = R.normal(key, ())
  out["truncated_normal"] = R.truncated_normal(key, -2, 2, (513,))
  out["bernoulli/0.3"] = R.bernoulli(key, 0.3, (40,))
  out["bernoulli/0.9"] = R.bernoulli(key, 0.9, (5, 7))
  out["randint/0..10"] = R.randint(key, (20,), 0, 10)
  out["randint/-5..1000"] = R.randint(key, (7,), -5, 1000)
  out["permutation/10"] = R.permutation(key, 10)
  out["permutation/3000"] = R.permutation(key, 3000)[:64]
  out["exponential"] = R.exponential(key, (16,))
  out["gumbel"] = R.gumbel(key, (16,))
  out["categorical"] = R.categorical(key, jnp.log(jnp.array([.1, .2, .3, .4])), shape=(24,))
  out["loggamma/0.2"] = R.loggamma(key, 0.2, (16,))
  out["gamma/1.7"] = R.gamma(key, 1.7, (16,))
  out["beta/0.2"] = R.beta(key, 0.2, 0.2)
  out["beta/0.2x40"] = R.beta(key, 0.2, 0.2, (40,))
  out["beta/1.5,0.7"] = R.beta(key, 1.5, 0.7, (8,))
  for shape in ((16, 24), (8, 8, 3, 16), (1, 1, 32)):
    name = "x".join(map(str, shape))
    out[f"xavier_uniform/{name}"] = jax.nn.initializers.xavier_uniform()(key, shape)
    out[f"lecun_normal/{name}"] = jax.nn.initializers.lecun_normal()(key, shape)
  out["initializers.normal/0.25"] = jax.nn.initializers.normal(0.25)(key, (1, 6, 8))
  return out


def record_paths(fn):
  """The paths that are folded into a key while `fn` runs, in order."""
  paths = []
  original = flax.core.scope._fold_in_static
  def spy(rng, data):
    paths.append(list(data))
    return original(rng, data)
  flax.core.scope._fold_in_static = spy
  try:
    fn()
  finally:
    flax.core.scope._fold_in_static = original
  return paths


def main():
  c.clear("random_")
  for seed in (0, 42, 2**31 + 5):
    out = {k: c.to_case_array(v) for k, v in streams(seed).items()}
    note = "partitionable threefry2x32. Every draw is made with PRNGKey(seed) itself. "
    c.save_case(
        f"random_integers_{seed}", kind="random", name="jax.random", args=dict(seed=seed),
        outputs={k: v for k, v in out.items() if v.dtype != np.float32}, atol=0, rtol=0,
        note=note + "Keys and bits are uint32 with their bits in an int32.")
    c.save_case(
        f"random_floats_{seed}", kind="random", name="jax.random", args=dict(seed=seed),
        outputs={k: v for k, v in out.items() if v.dtype == np.float32}, atol=1e-7, rtol=2e-6,
        note=note + "XLA on CPU contracts a*b+c to one rounding (uniform with a span that is not a power of two).")

  for seed in (0, 42):
    key = R.PRNGKey(seed)
    c.save_case(
        f"random_fold_in_static_{seed}", kind="random", name="flax.core.scope:_fold_in_static",
        args=dict(seed=seed, paths=PATHS),
        outputs={"keys": np.stack([_fold_in_static(key, tuple(p)) for p in PATHS])},
        note="fold_in(key, the first four bytes, big-endian, of SHA-1 of the concatenation of the strings (UTF-8) "
        "and of the integers (big-endian, as few bytes as possible, none for 0)). No path: the key itself.")

  small = dict(num_classes=5, patch_size=[8, 8], width=16, depth=2, num_heads=2, mlp_dim=32, pool_type="map",
               rep_size=True, head_zeroinit=False)
  image = np.zeros((1, 32, 32, 3), np.float32)
  for label, args in (("pyloop", small), ("scan", dict(small, scan=True)),
                      ("tok", dict(small, pool_type="tok", posemb="sincos2d"))):
    args = dict(args, dropout=0.1)
    model = vit.Model(**args)
    variables = model.init(R.PRNGKey(0), image)
    init = record_paths(lambda: model.init(R.PRNGKey(0), image))
    apply = record_paths(lambda: model.apply(variables, image, train=True, rngs={"dropout": R.PRNGKey(1)}))
    c.save_case(
        f"random_flax_paths_{label}", kind="random", name="vit:rng_paths", args=args,
        inputs=dict(image=image),
        outputs=dict(init=json.dumps(init), dropout=json.dumps(apply)), string_outputs=["init", "dropout"],
        note="the paths that Flax folds into the params key of init, and into the dropout key of apply(train=True), "
        "in order. Under scan the body is traced twice, so the second pass's numbers count; its key for layer l is "
        "split(root key, depth)[l] with the whole path folded in.")

  # Whole dropout masks, as the model applies them: ones in, 0 or 1/(1-rate) out.
  import flax.linen as nn  # pylint: disable=g-import-not-at-top
  class Ones(nn.Module):
    @nn.compact
    def __call__(self, x):
      return nn.Dropout(0.1)(x, False)
  x = np.ones((4, 5, 6), np.float32)
  out = {str(seed): Ones().apply({}, x, rngs={"dropout": R.PRNGKey(seed)}) for seed in (0, 1)}
  c.save_case("random_dropout_mask", kind="random", name="flax.linen.Dropout", args=dict(rate=0.1, path=["Dropout_0", 1]),
              inputs=dict(x=x), outputs=out, rtol=1e-6,
              note="outputs by seed of the dropout key: where(bernoulli(folded key, 1 - rate), x / (1 - rate), 0).")

  for p, seed in ((0.2, 0), (0.2, 42), (1.0, 3)):
    rng, (xs,), _ = c.u.get_mixup(R.PRNGKey(seed), p)(c.normal(seed, (4, 3, 3, 2)))
    del xs
    _, rng_mixup = R.split(R.PRNGKey(seed))
    a = R.beta(rng_mixup, p, p)
    c.save_case(f"random_mixup_{p}_{seed}", kind="random", name="mixup", args=dict(seed=seed, p=p),
                outputs=dict(rng=rng, a=jnp.maximum(a, 1 - a)), rtol=1e-5,
                tolerances=dict(rng=dict(atol=0, rtol=0)),
                note="the weight that get_mixup(PRNGKey(seed), p) draws, and the key that it returns.")


if __name__ == "__main__":
  main()
