"""GIVT: kind `model` of the VAEs, the adaptor and the transformer (much starts from a seed), and sequences that are drawn from it."""

import common as c
from big_vision.models.proj.givt import adaptor
from big_vision.models.proj.givt import cnn
from big_vision.models.proj.givt import decode
from big_vision.models.proj.givt import givt
from big_vision.models.proj.givt import parallel_decode
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


GIVT = dict(
    num_heads=2, num_decoder_layers=1, mlp_dim=12, emb_dim=8, num_labels=4, seq_len=5, out_dim=3, num_mixtures=2,
    patches=[4, 4], input_size=[8, 8])
IMAGES = dict(num_layers=1, num_labels=None, num_mixtures=1)


def with_logits(params, seed, scale=0.3):
  """The last layer starts at zero."""
  shapes = {k: v.shape for k, v in params["decoder"]["LogitsDense"].items()}
  return {**params, "decoder": {**params["decoder"], "LogitsDense": {
      k: c.normal(seed + len(k), shape, scale) for k, shape in shapes.items()}}}


def start_of(model, seed, **inputs):
  sequence = np.zeros((2, 5, 3), np.float32)
  start = jax.jit(lambda k: model.init(k, sequence, **inputs)["params"])(jax.random.PRNGKey(seed))
  return start, with_logits(c.perturb(start, seed), seed)


def transformers():
  sequence, labels, image = c.normal(11, (2, 5, 3)), np.array([3, 1], np.int32), colours(12, 2, 8, 8, 3)
  mask = np.random.default_rng(13).random((2, 5)) < 0.5
  # label: (what differs from GIVT, inputs, arguments of the call)
  cases = {
      "masked": (dict(style="masked", drop_labels_probability=0.1), dict(labels=labels, input_mask=mask), {}),
      "concat": (dict(style="masked", mask_style="concat", fix_square_plus=True, scan=True), dict(labels=labels, input_mask=mask), {}),
      "covariance": (dict(multivariate=True, num_mixtures=1, drop_labels_probability=1.0), dict(labels=labels), {}),
      "image_train": (dict(IMAGES, fix_square_plus=True, dec_dropout_rate=0.2, enc_dropout_rate=0.1, scan=True, num_decoder_layers=2), dict(image=image), dict(train=True)),
  }
  for i, (label, (changes, inputs, call)) in enumerate(cases.items()):
    args = {**GIVT, **changes}
    model = givt.Model(**args)
    start, params = start_of(model, i, **inputs)
    def forward(params):
      logits, pdf = model.apply({"params": params}, sequence, **inputs, **call, rngs={"dropout": jax.random.PRNGKey(5)})  # pylint: disable=cell-var-from-loop
      return logits, pdf.log_prob(sequence)
    def loss(params):
      return -jnp.mean(forward(params)[1])  # pylint: disable=cell-var-from-loop
    logits, log_prob = jax.jit(forward)(params)
    outputs = dict(logits=logits, log_prob=log_prob)
    if label == "image_train":
      value, grads = jax.device_get(jax.jit(jax.value_and_grad(loss))(params))
      outputs.update(loss=value, **{k: v for k, v in c.flat(grads, "grad/").items() if "bias" in k and not k.endswith("/key/bias")})
    c.save_case(
        f"model_givt_{label}", kind="model", name="proj/givt/givt", args=args,
        call=dict(kwargs=call, rngs=dict(dropout=5), seed=i), **(dict(loss="nll") if label == "image_train" else {}),
        inputs={"sequence": sequence, **inputs, **changed(params, start)}, outputs=outputs, atol=2e-5, rtol=1e-3,
        note="The loss: minus the mean of log_prob.")


def drawing():
  labels, image = np.array([3, 1], np.int32), colours(12, 2, 8, 8, 3)
  # label: (what differs from GIVT, inputs, settings)
  cases = {
      "labels": (dict(drop_labels_probability=0.1, num_mixtures=1), dict(labels=labels), {
          "plain": dict(), "cool": dict(temp=0.7, temp_probs=2.0), "guided": dict(cfg_inference_weight=0.4)}),
      "vectors": (dict(per_channel_mixtures=False, scan=True, num_decoder_layers=2, drop_labels_probability=0.1), dict(labels=labels), {
          "plain": dict(temp=0.9), "guided": dict(cfg_inference_weight=0.3)}),
      "image": (dict(IMAGES), dict(image=image), {
          "beams": dict(beam_size=2, fan_size=3), "random_beams": dict(beam_size=3, fan_size=2, rand_top_k=True, rand_top_k_temp=2.0)}),
  }
  for i, (label, (changes, inputs, draws)) in enumerate(cases.items()):
    args = {**GIVT, **changes}
    model = givt.Model(**args)
    start, params = start_of(model, 20 + i, **inputs)
    outputs, settings = {}, {}
    for j, (name, config) in enumerate(draws.items()):
      tokens, logprobs = jax.jit(lambda p: decode.generate(  # pylint: disable=cell-var-from-loop
          {"params": p}, jax.random.PRNGKey(j), model=model, seq_len=5, feature_dim=3, labels=inputs.get("labels"),  # pylint: disable=cell-var-from-loop
          cond_image=inputs.get("image"), batch_size=2, config=config))(params)  # pylint: disable=cell-var-from-loop
      outputs.update({f"{name}/tokens": tokens, f"{name}/logprobs": logprobs})
      settings[name] = dict(config, seed=j)
    c.save_case(
        f"model_givt_generate_{label}", kind="model", name="proj/givt/decode:generate", args=dict(model=args, draws=settings),
        inputs={**inputs, **c.flat(params, "params/")}, outputs=outputs, atol=5e-5, rtol=1e-3,
        note="Tokens drawn one by one, with each of the settings.")

  masked = {
      "channels": (dict(num_mixtures=1, drop_labels_probability=0.1), {
          "plain": dict(num_steps=3), "guided": dict(num_steps=4, choice_temperature=3.0, cfg_inference_weight=0.4)}),
      "vectors": (dict(per_channel_mixtures=False, scan=True), {
          "plain": dict(num_steps=4, should_anneal_temperature=False, schedule="pow:2")}),
  }
  for i, (label, (changes, draws)) in enumerate(masked.items()):
    args = {**GIVT, "style": "masked", **changes}
    model = givt.Model(**args)
    _, params = start_of(model, 30 + i, labels=labels, input_mask=np.zeros((2, 5), bool))
    outputs, settings = {}, {}
    for j, (name, config) in enumerate(draws.items()):
      tokens = jax.jit(lambda p: parallel_decode.decode_masked(  # pylint: disable=cell-var-from-loop
          jax.random.PRNGKey(j), labels, 5, 3, model, {"params": p},  # pylint: disable=cell-var-from-loop
          parallel_decode.MaskedGenerationConfig(**config)).current_inputs_q)(params)  # pylint: disable=cell-var-from-loop
      outputs[f"{name}/tokens"] = tokens
      settings[name] = dict(config, seed=j)
    c.save_case(
        f"model_givt_decode_masked_{label}", kind="model", name="proj/givt/parallel_decode:decode_masked",
        args=dict(model=args, draws=settings), inputs={"labels": labels, **c.flat(params, "params/")}, outputs=outputs,
        atol=5e-5, rtol=1e-3, note="All tokens drawn at once, some more kept in each step.")


if __name__ == "__main__":
  c.clear("model_givt")
  vaes()
  maps()
  transformers()
  drawing()
