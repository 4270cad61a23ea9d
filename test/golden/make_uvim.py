"""UViM: kinds `model` and `init_exact` of both stages, sequences that decode.py draws, and training of stage I."""

import common as c
import big_vision.optax as bv_optax
from big_vision.models.proj.uvim import decode
from big_vision.models.proj.uvim import vit
from big_vision.models.proj.uvim import vtt
from big_vision.trainers.proj.uvim import colorization_task
from big_vision.trainers.proj.uvim import depth_task
from big_vision.trainers.proj.uvim import panoptic_task
import jax
import jax.numpy as jnp
import ml_collections as mlc
import numpy as np
import optax

VIT = dict(
    input_size=[8, 12], patch_size=[4, 4], code_len=4, width=8, enc_depth=1, dec_depth=1, mlp_dim=16, num_heads=2,
    dict_size=6, codeword_dim=4, head_zeroinit=False, inputs=dict(a=[5, 3], b=[7]), outputs=dict(a=[4], c=[2, 3]),
    statistics_axis_name=None)
VTT = dict(
    patches=dict(size=[4, 4]), num_heads=2, num_layers=1, mlp_dim=16, emb_dim=8, vocab_size=11, seq_len=5,
    input_size=[8, 12], posemb_type="learn")

# label: (what differs from VIT, the call, note)
VITS = {
    "sincos_ctx": (dict(posemb="sincos2d", with_encoder_ctx=True, with_decoder_ctx=True, codeword_dim=None), dict(), "images."),
    "resize": (dict(bottleneck_resize=True, code_len=4), dict(), "the grid of 2 x 3 is resized to 2 x 2."),
    "noquant": (dict(quantize=False), dict(), "no image; the code isn't rounded."),
    "zero_seq": (dict(zero_decoder_seq=True, with_decoder_ctx=True), dict(), "the decoder sees the image alone."),
    "train": (dict(dropout=0.2, min_count=0.9), dict(train=True), "dropout, and a dictionary with two words to split."),
    "train_frozen": (dict(code_dropout="seq"), dict(train=True, update_dict=False), "the last words of a code are dropped."),
    "train_random": (dict(code_dropout="random"), dict(train=True), "any words of a code are dropped."),
}


def labels_of(args, seed, batch=3):
  n = (args["input_size"][0] // args["patch_size"][0]) * (args["input_size"][1] // args["patch_size"][1])
  return {k: c.normal(seed + i, (batch, n, *shape)) for i, (k, shape) in enumerate(args["inputs"].items())}


def vits():
  for i, (label, (changes, call, note)) in enumerate(VITS.items()):
    args = {**VIT, **changes}
    model = vit.Model(**args)
    x = labels_of(args, 10 * i)
    ctx = c.normal(900 + i, (3, *args["input_size"], 3)) if args.get("with_decoder_ctx") else None
    seeds = dict(dropout=31 + i, vqvae=41 + i)
    rngs = {k: jax.random.PRNGKey(v) for k, v in seeds.items()}
    whole = label == "train"  # The others start from the seed, and have no gradients.
    for_params, for_state = jax.random.split(jax.random.PRNGKey(i))
    variables = jax.jit(lambda k: model.init(k, x, ctx=ctx))({"params": for_params, "state": for_state})  # pylint: disable=cell-var-from-loop
    params = c.perturb(variables["params"], i) if whole else variables["params"]
    rng = np.random.default_rng(i)
    state = jax.device_get(variables["state"])
    state["counts"] = (0.5 + 5 * rng.random(state["counts"].shape)).astype(np.float32)
    # The last two words are hardly used; after a step without them they are below min_count.
    state["counts"][-2:] = 0.6
    state["dictionary"] = (state["dictionary"] * state["counts"][:, None]).astype(np.float32)
    state["dictionary"][-2:] = -10 * state["dictionary"][:2]
    train = call.get("train", False)

    def forward(params):
      result = model.apply({"params": params, "state": state}, x, ctx=ctx, mutable=["state"] if train else False, rngs=rngs, **call)  # pylint: disable=cell-var-from-loop
      return result if train else (result, {"state": {}})
    def loss(params):
      (logits, out), _ = forward(params)
      commitment = jnp.mean(jnp.square(out["bottleneck"] - jax.lax.stop_gradient(out["bottleneck_q"])))
      return sum(jnp.mean(jnp.square(y)) for y in logits.values()) + commitment
    (logits, out), changed = jax.device_get(jax.jit(forward)(params))
    outputs = {**c.flat(logits, "output/"), **{k: v for k, v in c.flat(out, "out/").items() if not k.startswith("out/logits")}}
    if train and call.get("update_dict", True):
      outputs.update(c.flat(changed["state"], "state/"))
    inputs = {**c.flat(x, "x/"), **({} if ctx is None else {"ctx": ctx}), **c.flat(state, "state/")}
    if whole:
      inputs.update(c.flat(params, "params/"))
      value, grads = jax.device_get(jax.jit(jax.value_and_grad(loss))(params))
      outputs.update(loss=value, **{k: v for k, v in c.flat(grads, "grad/").items() if not k.endswith("/key/bias")})
    c.save_case(
        f"model_uvim_{label}", kind="model", name="proj/uvim/vit", args=args,
        call=dict(kwargs=call, rngs=seeds, **({} if whole else dict(seed=i))), **(dict(loss="uvim") if whole else {}),
        inputs=inputs, outputs=outputs, note=note + " The loss: mean squares of the outputs, plus that of bottleneck - sg(bottleneck_q).", atol=2e-5, rtol=1e-3)


def vtts():
  cases = {"sincos": (dict(posemb_type="sincos2d"), {}, "fixed posembs."),
           "short": (dict(), {}, "texts shorter than seq_len."),
           "zero_seq": (dict(zero_decoder_seq=True), {}, "the decoder sees no words."),
           "dropout": (dict(dropout_rate=0.3), dict(train=True), "dropout everywhere, also of attention weights.")}
  for i, (label, (changes, call, note)) in enumerate(cases.items()):
    args = {**VTT, **changes}
    model = vtt.Model(**{**args, "patches": mlc.ConfigDict(args["patches"])})
    image = c.normal(70 + i, (3, 8, 12, 3))
    text = np.random.default_rng(i).integers(1, 11, (3, 4 if label == "short" else 5)).astype(np.int32)
    whole = label == "dropout"
    params = jax.jit(lambda k: model.init(k, image, text)["params"])(jax.random.PRNGKey(i))  # pylint: disable=cell-var-from-loop
    logits_dense = {"kernel": c.normal(i, (8, 11)), "bias": c.normal(i + 9, (11,))}
    params = c.perturb(params, 70 + i) if whole else {**params, "decoder": {**params["decoder"], "LogitsDense": logits_dense}}
    seeds = dict(dropout=5 + i)
    def logits_of(params):
      return model.apply({"params": params}, image, text, rngs={"dropout": jax.random.PRNGKey(seeds["dropout"])}, **call)  # pylint: disable=cell-var-from-loop
    def loss(params):
      return c.u.weighted_softmax_xent(logits=logits_of(params), labels=text, reduction=True, normalize=True)  # pylint: disable=cell-var-from-loop
    outputs = {"output": jax.device_get(jax.jit(logits_of)(params))}
    inputs = {"image": image, "text": text, **c.flat(logits_dense, "params/decoder/LogitsDense/")}
    if whole:
      value, grads = jax.device_get(jax.jit(jax.value_and_grad(loss))(params))
      outputs.update(loss=value, **{k: v for k, v in c.flat(grads, "grad/").items() if not k.endswith("/key/bias")})
      inputs.update(c.flat(params, "params/"))
    c.save_case(
        f"model_vtt_{label}", kind="model", name="proj/uvim/vtt", args=args,
        call=dict(kwargs=call, rngs=seeds, **({} if whole else dict(seed=i))), **(dict(loss="vtt") if whole else {}),
        inputs=inputs, outputs=outputs,
        note=note + " The loss: weighted_softmax_xent of the text.", atol=2e-5, rtol=1e-3)


def methods():
  model = vit.Model(**VIT)
  code = np.random.default_rng(60).integers(0, VIT["dict_size"], (3, VIT["code_len"])).astype(np.int32)
  for_params, for_state = jax.random.split(jax.random.PRNGKey(60))
  variables = jax.jit(lambda k: model.init(k, labels_of(VIT, 60)))({"params": for_params, "state": for_state})
  logits, _ = jax.device_get(jax.jit(lambda v: model.apply(v, code, discrete_input=True, method="decode"))(variables))
  c.save_case(
      "model_uvim_decode", kind="model", name="proj/uvim/vit", args=VIT,
      call=dict(method="decode", kwargs=dict(discrete_input=True)),
      inputs={"x": code, **c.flat(variables["state"], "state/"), **c.flat(variables["params"], "params/")},
      outputs=c.flat(logits, "output/"), note="the method decode, on a code of words.", atol=2e-5, rtol=1e-3)


def init():
  for label, name, module, args, inputs in (
      ("uvim", "proj/uvim/vit", vit, VIT, dict(x=labels_of(VIT, 0, 1))),
      ("uvim_ctx", "proj/uvim/vit", vit,
       {**VIT, "bottleneck_resize": True, "with_encoder_ctx": True, "with_decoder_ctx": True, "head_zeroinit": True},
       dict(x=labels_of(VIT, 0, 1), ctx=np.zeros((1, 8, 12, 3), np.float32))),
      ("vtt", "proj/uvim/vtt", vtt, VTT,
       dict(image=np.zeros((1, 8, 12, 3), np.float32), text=np.zeros((1, 5), np.int32)))):
    model = module.Model(**({**args, "patches": mlc.ConfigDict(args["patches"])} if module is vtt else args))
    key = jax.random.PRNGKey(3)
    rngs = key
    if module is vit:  # As vqvae.py does.
      params, state = jax.random.split(key)
      rngs = {"params": params, "state": state}
    variables = jax.device_get(jax.jit(lambda r: model.init(r, **inputs))(rngs))  # pylint: disable=cell-var-from-loop
    outputs = {**c.flat(variables["params"], "params/"), **c.flat(variables.get("state", {}), "state/")}
    c.save_case(
        f"init_exact_{label}", kind="init_exact", name=name, args=args, call=dict(seed=3), inputs=c.flat(inputs),
        outputs=outputs, note="Every initial value; the state's are from the second half of the split key.",
        atol=1e-7, rtol=2e-6)


def sampling():
  cases = {
      "greedy": dict(temperature=1e-7, eos_token=-1),
      "temperature": dict(temperature=0.7, eos_token=-1),
      "eos": dict(temperature=2.0, eos_token=3),
      "top_k": dict(temperature=1.0, top_k=4, eos_token=-1),
      "top_p": dict(temperature=1.0, top_p=0.6, eos_token=-1),
      "masked": dict(temperature=1.5, mask_token_ids=[0, 2, 5], eos_token=1),
      "prompt": dict(temperature=1.0, eos_token=-1),
  }
  model = vtt.Model(**{**VTT, "patches": mlc.ConfigDict(VTT["patches"])})
  image = c.normal(80, (4, 8, 12, 3))
  params = c.perturb(model.init(jax.random.PRNGKey(0), image, np.zeros((4, 5), np.int32))["params"], 80)
  params["decoder"]["LogitsDense"]["kernel"] *= 8
  prompts = np.zeros((4, 5), np.int32)
  prompts[:, :2] = [[4, 0], [5, 6], [0, 0], [7, 8]]
  outputs = {}
  for i, (label, kw) in enumerate(cases.items()):
    given = prompts if label == "prompt" else 0 * prompts
    seqs, scores, logprobs = jax.device_get(jax.jit(lambda p: decode.temperature_sampling(  # pylint: disable=cell-var-from-loop
        params={"params": p}, model=model, seed=jax.random.PRNGKey(i), inputs=image, prompts=given,  # pylint: disable=cell-var-from-loop
        **{**kw, "mask_token_ids": tuple(kw.get("mask_token_ids", ()))}))(params))  # pylint: disable=cell-var-from-loop
    print(label, seqs[:, 0].tolist())
    outputs.update({f"{label}/sequences": seqs[:, 0], f"{label}/scores": scores[:, 0], f"{label}/logprobs": logprobs[:, 0]})
    cases[label] = dict(kw, seed=i)
  c.save_case(
      "model_uvim_sampling", kind="model", name="proj/uvim/decode:temperature_sampling", args=dict(model=VTT, draws=cases),
      inputs={"image": image, "prompts": prompts, **c.flat(params, "params/")}, outputs=outputs,
      note="One sample an image for each entry of draws; the prompts are for the one of that name.", atol=2e-5, rtol=1e-4)


def tasks():
  model = dict(input_size=[8, 12], patch_size=[4, 4])
  rng = np.random.default_rng(0)
  cases = {
      "depth": (depth_task, dict(model, inputs=dict(depth=[5, 16])), dict(min_depth=0.5, max_depth=8.0),
                (9 * rng.random((2, 8, 12, 1))).astype(np.float32), {}),
      "panoptic": (panoptic_task, dict(model, inputs=dict(semantics=[4, 16], instances=[6, 16])), {},
                   np.stack([rng.integers(0, 4, (2, 8, 12)), rng.integers(-1, 6, (2, 8, 12))], -1).astype(np.int32),
                   dict(min_fraction=0.16)),
      "colorization": (colorization_task, dict(model, inputs=dict(color=[3, 16])), {},
                       (3 * rng.random((2, 8, 12, 3)) - 1.5).astype(np.float32), {}),
  }
  for label, (task, model, options, labels, extra) in cases.items():
    config = mlc.ConfigDict(dict(model=model, **options))
    logits = {k: c.normal(5 + i, (2, 6, *shape), 2.0) for i, (k, shape) in enumerate(model["inputs"].items())}
    batch = dict(labels=labels)
    loss, losses = task.loss_fn(logits, batch, config)
    x = {k: jnp.asarray(v, jnp.float32) for k, v in task.input_pp(batch, config)["x"].items()}
    outputs = task.predict_outputs(logits, config, **extra)
    outputs = outputs if isinstance(outputs, dict) else {"panoptic": outputs}
    c.save_case(
        f"model_uvim_task_{label}", kind="model", name="proj/uvim/task", args=dict(task=label, model=model, **options, **extra),
        inputs={"labels": labels, **c.flat(logits, "logits/")},
        outputs=dict(loss=loss, **c.flat(losses), **c.flat(x, "x/"), **c.flat(outputs, "prediction/")),
        note="What a task makes of labels and of logits.", atol=1e-5, rtol=1e-5)


def training():
  """The update of trainers/proj/uvim/vqvae.py on one device, with the keys of train.py at head."""
  steps, batch = 6, 4
  model_args = dict(
      input_size=[16, 16], patch_size=[4, 4], code_len=4, width=8, enc_depth=1, dec_depth=1, mlp_dim=16, num_heads=2,
      dict_size=8, codeword_dim=6, dict_momentum=0.9, min_count=0.3, with_encoder_ctx=True, with_decoder_ctx=True,
      code_dropout="random", bottleneck_resize=True, inputs=dict(depth=[6, 16]), outputs=dict(depth=[6, 16]))
  config = dict(
      seed=1, total_steps=steps, model_name="proj.uvim.vit", model=model_args, input=dict(batch_size=batch),
      optax_name="big_vision.scale_by_adafactor", optax=dict(beta2_cap=0.95), lr=0.01, wd=1e-5, grad_clip_norm=1.0,
      schedule=dict(decay_type="cosine", warmup_steps=2), w_commitment=0.25, freeze_dict=False, min_depth=0.5, max_depth=8.0)
  rng = np.random.default_rng(0)
  image = rng.integers(-2, 3, (steps, batch, 16, 16, 3)).astype(np.float32) / 2
  labels = np.kron(rng.integers(0, 9, (steps, batch, 4, 4, 1)), np.ones((4, 4, 1))).astype(np.float32)

  cfg = mlc.ConfigDict(config)
  model = vit.Model(**{**model_args, "statistics_axis_name": None})
  key, key_init = jax.random.split(jax.random.PRNGKey(1))
  _, key_loop = jax.random.split(key)
  for_params, for_state = jax.random.split(key_init)
  first = depth_task.input_pp(dict(image=image[0], labels=labels[0]), cfg)
  variables = model.init({"params": for_params, "state": for_state}, **first)
  params, state = variables["params"], variables["state"]
  tx, _ = bv_optax.make(cfg, params, sched_kw=dict(total_steps=steps, batch_size=batch, data_size=steps * batch))
  opt = tx.init(params)

  @jax.jit
  def update(params, opt, state, batch, step):
    _, k = jax.random.split(jax.random.fold_in(key_loop, step))
    def loss_fn(params):
      (logits, out), changed = model.apply(
          {"params": params, "state": state}, **depth_task.input_pp(batch, cfg), train=True, update_dict=True,
          rngs={"dropout": k, "vqvae": k}, mutable=["state"])
      loss_rec, logs = jax.tree.map(jnp.mean, depth_task.loss_fn(logits, batch, cfg))
      commitment = jnp.mean(jnp.square(out["bottleneck"] - jax.lax.stop_gradient(out["bottleneck_q"])))
      aux = dict(loss_rec=loss_rec, loss_commitment=commitment, codebook_zeros_ratio=out["codebook_zeros_ratio"],
                 codebook_max_ratio=out["codebook_max_ratio"], **logs)
      return loss_rec + cfg.w_commitment * commitment, (aux, changed["state"])
    (l, (aux, state_)), grads = jax.value_and_grad(loss_fn, has_aux=True)(params)
    updates, opt = tx.update(grads, opt, params)
    return optax.apply_updates(params, updates), opt, state_, dict(training_loss=l, **aux)

  rows = []
  for i in range(steps):
    params, opt, state, row = update(params, opt, state, dict(image=image[i], labels=labels[i]), i)
    rows.append(jax.device_get(row))
    print(rows[-1])
  outputs = {k: np.array([r[k] for r in rows], np.float32) for k in rows[0]}
  outputs.update({k: v for k, v in c.flat(jax.device_get(params), "params/").items() if not k.endswith("/key/bias")})
  outputs.update(c.flat(jax.device_get(state), "state/"))
  c.save_case(
      "train_uvim_depth", kind="train", name="trainers/proj/uvim/vqvae", args=dict(config=config),
      inputs=dict(image=image, labels=labels), outputs=outputs, atol=2e-5, rtol=5e-4,
      note="Stage I from the seed: the measurements of each step, the final parameters and variables. Words are split on the way.")


def training2():
  """The update of trainers/proj/uvim/train.py on one device, with the keys of train.py at head."""
  steps, batch = 4, 4
  oracle_args = dict(
      input_size=[8, 8], patch_size=[4, 4], code_len=4, width=8, enc_depth=1, dec_depth=1, mlp_dim=16, num_heads=2, dict_size=6,
      codeword_dim=4, with_encoder_ctx=True, with_decoder_ctx=True, inputs=dict(depth=[6, 16]), outputs=dict(depth=[6, 16]))
  model_args = dict(
      patches=dict(size=[4, 4]), num_heads=2, num_layers=1, mlp_dim=16, dropout_rate=0.1, emb_dim=8, vocab_size=7, seq_len=4,
      input_size=[8, 8], posemb_type="sincos2d")
  config = dict(
      seed=2, total_steps=steps, model_name="proj.uvim.vtt", model=model_args, input=dict(batch_size=batch),
      optax_name="scale_by_adam", optax=dict(), lr=0.01, wd=1e-5, grad_clip_norm=1.0,
      schedule=dict(decay_type="cosine", warmup_steps=2),
      oracle=dict(task="proj.uvim.depth_task", min_depth=0.5, max_depth=8.0, model_name="proj.uvim.vit", model=oracle_args,
                  model_init="oracle.npz"))
  rng = np.random.default_rng(5)
  image = rng.integers(-2, 3, (steps, batch, 8, 8, 3)).astype(np.float32) / 2
  labels = np.kron(rng.integers(0, 9, (steps, batch, 4, 4, 1)), np.ones((2, 2, 1))).astype(np.float32)
  cfg = mlc.ConfigDict(config)
  oracle = vit.Model(**{**oracle_args, "statistics_axis_name": None})
  first = depth_task.input_pp(dict(image=image[0], labels=labels[0]), cfg.oracle)
  frozen = jax.device_get(jax.jit(lambda a, b: oracle.init({"params": a, "state": b}, **first))(
      jax.random.PRNGKey(8), jax.random.PRNGKey(9)))
  frozen = {"params": c.perturb(frozen["params"], 4), "state": frozen["state"]}

  def encode(batch):
    return oracle.apply(frozen, **depth_task.input_pp(batch, cfg.oracle), method=oracle.encode)[1]["code"] + 1

  key, key_init = jax.random.split(jax.random.PRNGKey(2))
  _, key_loop = jax.random.split(key)
  model = vtt.Model(**{**model_args, "patches": mlc.ConfigDict(model_args["patches"])})
  params = jax.jit(lambda k: model.init(k, image[0], encode(dict(image=image[0], labels=labels[0])))["params"])(key_init)
  tx, _ = bv_optax.make(cfg, params, sched_kw=dict(total_steps=steps, batch_size=batch, data_size=steps * batch))
  opt = tx.init(params)

  @jax.jit
  def update(params, opt, batch, step):
    _, k = jax.random.split(jax.random.fold_in(key_loop, step))
    text = encode(batch)
    def loss_fn(params):
      logits = model.apply({"params": params}, batch["image"], text, train=True, rngs={"dropout": k})
      return c.u.weighted_softmax_xent(logits=logits, labels=text, reduction=True, normalize=True)
    l, grads = jax.value_and_grad(loss_fn)(params)
    updates, opt = tx.update(grads, opt, params)
    return optax.apply_updates(params, updates), opt, l, text

  losses = []
  for i in range(steps):
    params, opt, l, text = update(params, opt, dict(image=image[i], labels=labels[i]), i)
    losses.append(float(l))
  print(losses, text.tolist())
  path = c.save_case(
      "train_uvim_stage2", kind="train", name="trainers/proj/uvim/train", args=dict(config=config),
      inputs=dict(image=image, labels=labels),
      outputs={"training_loss": np.array(losses, np.float32),
               **{k: v for k, v in c.flat(jax.device_get(params), "params/").items() if not k.endswith("/key/bias")}},
      atol=2e-5, rtol=5e-4, note="Stage II from the seed, with the frozen stage I of oracle.npz.")
  c.write_npz(path / "oracle.npz", {**c.flat(frozen["params"], "params/"), **c.flat(frozen["state"], "state/")})


if __name__ == "__main__":
  vits()
  vtts()
  methods()
  init()
  sampling()
  tasks()
  training()
  training2()
