"""GIVT: kinds `model` and `init_exact` of the VAEs and the adaptor."""

import common as c
from big_vision.models.proj.givt import adaptor
from big_vision.models.proj.givt import cnn
from big_vision.models.proj.givt import vit
import jax
import jax.numpy as jnp
import numpy as np

VIT = dict(
    input_size=[8, 12], patch_size=[4, 4], code_len=4, codeword_dim=3, width=8, enc_depth=1, dec_depth=1, mlp_dim=16,
    num_heads=2, head_zeroinit=False)
# In the order of a ConfigDict: by name.
LABELS = dict(instances=[1, 4], semantics=[0, 3])
def changed(params, before):
  """The parameters that aren't what the seed gives."""
  pairs = zip(c.flat(params, "params/").items(), c.flat(jax.device_get(before)).values())
  return {k: new for (k, new), old in pairs if not np.array_equal(new, old)}


CNN = dict(
    filters=4, num_res_blocks=1, channel_multipliers=[1, 2], codeword_dim=2, norm_type="LN", activation_fn="relu",
    pixel_shuffle_patch_size=[1, 2])


def colours(seed, *shape):
  return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def vaes():
  labels = np.stack([np.random.default_rng(i).integers(0, n, (2, 8, 12)) for i, n in ((0, 3), (1, 4))], -1)
  # label: (module, arguments, input, train)
  cases = {
      "givt_vit_labels": (vit, dict(VIT, inout_specs=LABELS), labels.astype(np.int32), False),
      "givt_vit_resize": (vit, dict(VIT, bottleneck_resize=True, posemb="sincos2d", scan=True), colours(2, 2, 8, 12, 3), False),
      "givt_vit_train": (vit, dict(VIT, dropout=0.2, code_dropout="random"), colours(3, 2, 8, 12, 3), True),
      "givt_cnn": (cnn, CNN, colours(4, 2, 8, 8, 3), False),
      "givt_cnn_strided": (cnn, dict(CNN, conv_downsample=True, malib_ckpt=True), colours(5, 2, 8, 8, 3), False),
  }
  for i, (label, (module, args, image, train)) in enumerate(cases.items()):
    model = module.Model(**args)
    start = jax.jit(lambda k: model.init(k, image)["params"])(jax.random.PRNGKey(i))  # pylint: disable=cell-var-from-loop
    params = c.perturb(start, i)
    def forward(params):
      return model.apply({"params": params}, image, train=train, rngs={"dropout": jax.random.PRNGKey(7)})  # pylint: disable=cell-var-from-loop
    output, out = forward(params)
    if isinstance(output, dict):
      outputs = c.flat(output, "output/")
    else:
      outputs = {"output": output}
    c.save_case(
        f"model_{label}", kind="model", name=f"proj/givt/{module.__name__.split('.')[-1]}", args=args,
        call=dict(kwargs=dict(train=train), rngs=dict(dropout=7), seed=i), inputs={"image": image, **changed(params, start)},
        outputs={**outputs, **c.flat(out, "out/")}, atol=2e-5, rtol=1e-3,
        note="A VAE; in training with dropout, a drawn code and words that are dropped.")


def maps():
  args = dict(num_blocks=3, num_channels=6, num_channels_bottleneck=4, pixel_shuffle_patch_size=[2, 1])
  args["num_channels_bottleneck"] = 6
  model = adaptor.Model(**args)
  x = c.normal(6, (2, 8, 6))
  params = c.perturb(jax.jit(lambda k: model.init(k, x)["params"])(jax.random.PRNGKey(9)), 9)
  there = model.apply({"params": params}, x, train=False, method=model.forward)
  back = model.apply({"params": params}, there, train=False, method=model.inverse)
  c.save_case(
      "model_givt_adaptor", kind="model", name="proj/givt/adaptor", args=args, inputs={"x": x, **c.flat(params, "params/")},
      outputs=dict(forward=there, inverse=back), atol=2e-5, rtol=1e-4, note="Words that are a grid of 2 x 4.")


def init():
  image = np.zeros((1, 8, 12, 3), np.float32)
  params = jax.jit(lambda k: vit.Model(**VIT).init(k, image)["params"])(jax.random.PRNGKey(3))
  c.save_case(
      "init_exact_givt_vit", kind="init_exact", name="proj/givt/vit", args=VIT, call=dict(seed=3), inputs=dict(image=image),
      outputs=c.flat(params, "params/"), atol=1e-7, rtol=2e-6, note="Every initial value.")


if __name__ == "__main__":
  c.clear("model_givt")
  c.clear("init_exact_givt")
  vaes()
  maps()
  init()
