"""Cases of kinds `optimizer` (optax.make, ten steps each) and `schedule`."""

import inspect
import json
import operator

import common as c
import big_vision.optax as bv_optax
import jax
import jax.numpy as jnp
import ml_collections as mlc
import numpy as np
import optax

STEPS = 10
SCHED_KW = dict(total_steps=10, batch_size=8, data_size=40)
COSINE = dict(decay_type="cosine", warmup_steps=3)
BASE = dict(lr=0.05, optax_name="scale_by_adam", optax={}, schedule=COSINE)

# label: (config, note, tolerances)
MAKE = {
    "adam": (dict(BASE), "plain Adam."),
    "adam_vit_s16": (
        dict(lr=0.001, wd=0.0001, grad_clip_norm=1.0, optax_name="scale_by_adam", optax=dict(mu_dtype="bfloat16"),
             schedule=dict(warmup_steps=4, decay_type="cosine")), "the recipe of vit_s16_i1k, bfloat16 first moment."),
    "adam_args": (dict(BASE, optax=dict(b1=0.8, b2=0.95, eps=1e-3, eps_root=1e-5)), "b1, b2, eps, eps_root."),
    "adam_nesterov": (dict(BASE, optax=dict(nesterov=True)), "NAdam."),
    "adam_mu_bf16": (dict(BASE, optax=dict(mu_dtype="bfloat16")), "bfloat16 first moment."),
    "wd_default": (dict(BASE, wd=0.1), "weight decay of kernels only, times the schedule but not lr."),
    "wd_mults": (dict(BASE, wd=0.1, wd_mults=[["head/.*", 2.0], [".*/kernel", 0.5], ["pos_embedding", 0.1]]),
                 "first match wins; biases are not matched."),
    "lr_mults": (dict(BASE, wd=0.1, lr_mults=[["head/.*", 3.0], ["embedding/.*", 0.1], [".*", 0.5]]),
                 "lr_mults scale the update but not the weight decay."),
    "clip": (dict(BASE, grad_clip_norm=0.5), "global norm clipping."),
    "frozen": (dict(BASE, wd=0.1, grad_clip_norm=0.5, schedule=[["head/.*", COSINE], [".*", None]]),
               "all but the head frozen: neither decayed nor counted in the norm."),
    "frozen_one": (dict(BASE, wd=0.1, grad_clip_norm=0.5, schedule=[["(embedding|pos_embedding).*", None], [".*", COSINE]]),
                   "embeddings frozen."),
    "schedules": (
        dict(BASE, wd=0.1, schedule=[["head/.*", dict(decay_type="linear", warmup_steps=2)],
                                     [".*/bias", dict(decay_type="rsqrt", timescale=3, cooldown_steps=4)],
                                     [".*", COSINE]]), "three schedules by name."),
    "schedule_default": (dict(BASE, schedule={}), "no arguments: constant."),
    "sgd": (dict(BASE, optax_name="big_vision.sgd"), "plain gradient descent."),
    "momentum_hp": (dict(BASE, optax_name="big_vision.momentum_hp", grad_clip_norm=1.0, wd=0.01),
                    "momentum .9 in bfloat16, as for BiT."),
    "momentum_hp_nesterov": (
        dict(BASE, optax_name="big_vision.momentum_hp", optax=dict(momentum=0.8, nesterov=True, dtype="float32")),
        "Nesterov in float32."),
    "adafactor": (dict(BASE, optax_name="big_vision.scale_by_adafactor", wd=0.01, grad_clip_norm=1.0),
                  "defaults; only kernels with both of their two largest dimensions >= 32 are factored."),
    "adafactor_args": (
        dict(BASE, optax_name="big_vision.scale_by_adafactor",
             optax=dict(min_dim_size_to_factor=4, decay_rate=0.7, beta2_cap=0.95, clipping_threshold=1.0, momentum=None)),
        "block clipping, no momentum, everything factored from 4 on."),
    "adafactor_f32": (
        dict(BASE, optax_name="big_vision.scale_by_adafactor",
             optax=dict(min_dim_size_to_factor=3, beta2_cap=0.9, momentum=0.5, dtype_momentum="float32")), "float32 momentum."),
    "lion": (dict(BASE, optax_name="scale_by_lion", lr=0.01), "another transform of optax."),
    "lamb": (dict(BASE, optax_name="lamb", optax=dict(learning_rate=-1.0, weight_decay=0.1, b1=0.8, eps_root=1e-4)), "LAMB."),
    "lamb_default": (dict(BASE, optax_name="lamb", optax=dict(learning_rate=-0.5)), "LAMB's defaults."),
    "trust_ratio": (dict(BASE, optax_name="scale_by_trust_ratio", optax=dict(min_norm=0.5, trust_coefficient=0.1, eps=1e-3)),
                    "rates by norms."),
    "trace": (dict(BASE, optax_name="trace", optax=dict(decay=0.7, nesterov=True)), "momentum of optax."),
    "per_example": (dict(BASE, grad_clip_norm=2.0, grad_clip_per_example=True), "gradients [3, ...] of three examples."),
    "rms": (dict(BASE, optax_name="scale_by_rms"), "another transform of optax."),
    "rms_args": (dict(BASE, optax_name="scale_by_rms", optax=dict(eps_in_sqrt=False, bias_correction=True, eps=1e-3)),
                 "eps beside the root, and a mean without bias."),
    "unset": (dict(BASE, optax_name="big_vision.momentum_hp", optax=dict(dtype=None), wd=None, lr_mults=None, grad_clip_norm=0.0),
              "None, and a norm of 0, are as if the key weren't there; momentum in the dtype of the parameters."),
}

UP = dict(learning_rate=-1.0)  # An alias goes downhill here, since make multiplies by -lr once more.
ARGS = dict(b1=0.8, b2=0.95, eps=1e-3)

# label: (optax_name, optax), of small trees. The rest of optax's transforms and aliases.
OPTAX = {
    "amsgrad": ("amsgrad", dict(UP, **ARGS, eps_root=1e-5)),
    "scale_by_amsgrad_bf16": ("scale_by_amsgrad", dict(mu_dtype="bfloat16")),
    "scale_by_adamax": ("scale_by_adamax", dict(ARGS)),
    "adamaxw": ("adamaxw", dict(UP, weight_decay=0.1)),
    "scale_by_belief": ("scale_by_belief", {}),
    "adabelief": ("adabelief", dict(UP, **ARGS, eps_root=1e-5, nesterov=True)),
    "scale_by_yogi": ("scale_by_yogi", dict(eps_root=1e-5, initial_accumulator_value=0.1)),
    "yogi": ("yogi", dict(UP, **ARGS)),
    "scale_by_radam": ("scale_by_radam", {}),
    "radam": ("radam", dict(UP, **ARGS, eps_root=1e-5, threshold=4.5, nesterov=True)),
    "scale_by_novograd": ("scale_by_novograd", dict(weight_decay=0.1)),
    # Its updates are bfloat16, whose products with rates are rounded: only what it keeps is recorded.
    "scale_by_novograd_bf16": ("scale_by_novograd", dict(mu_dtype="bfloat16")),
    "novograd": ("novograd", dict(UP, **ARGS, eps_root=1e-5)),
    "scale_by_adan": ("scale_by_adan", {}),
    "adan": ("adan", dict(UP, **ARGS, b3=0.9, eps_root=1e-5, weight_decay=0.1)),
    "scale_by_optimistic_gradient": ("scale_by_optimistic_gradient", dict(alpha=0.5, beta=0.3)),
    "optimistic_adam": ("optimistic_adam", dict(UP)),
    "optimistic_adam_args": ("optimistic_adam", dict(UP, optimism=-0.4, nesterov=False)),
    "adamw": ("adamw", dict(UP, **ARGS, eps_root=1e-5, weight_decay=0.1)),
    "nadamw": ("nadamw", dict(UP)),
    "nadam": ("nadam", dict(UP, mu_dtype="bfloat16")),
    "lion_decay": ("lion", dict(UP, b1=0.8, b2=0.9, weight_decay=0.1)),
    "sgd_momentum": ("sgd", dict(learning_rate=-0.7, momentum=0.8, nesterov=True)),
    "sgd_alone": ("sgd", dict(learning_rate=-0.7)),
    "sign_sgd": ("sign_sgd", dict(learning_rate=-0.7)),
    "scale_by_stddev": ("scale_by_stddev", dict(initial_scale=1.0)),
    "rmsprop": ("rmsprop", dict(UP, momentum=0.8, nesterov=True)),
    "rmsprop_centered": ("rmsprop", dict(UP, centered=True, momentum=0.5, eps_in_sqrt=False, eps=1e-3, decay=0.7,
                                         initial_scale=2.0, bias_correction=True)),
    "scale_by_rss": ("scale_by_rss", dict(initial_accumulator_value=0.0, eps=1e-3)),
    "adagrad": ("adagrad", dict(UP)),
    "adadelta": ("adadelta", dict(learning_rate=-200.0, rho=0.8, weight_decay=0.1)),
    "rprop": ("rprop", dict(learning_rate=0.3)),
    "scale_by_rprop": ("scale_by_rprop", dict(learning_rate=0.5, eta_minus=0.3, eta_plus=2.0, min_step_size=0.2,
                                              max_step_size=1.5)),
    "sm3": ("sm3", dict(UP)),
    "scale_by_sm3": ("scale_by_sm3", dict(b1=0.5, b2=0.9, eps=1e-3)),
    "scale_by_factored_rms": ("scale_by_factored_rms", dict(min_dim_size_to_factor=2, decay_rate=0.7, epsilon=1e-3)),
    "adafactor_optax": ("adafactor", dict(UP, min_dim_size_to_factor=2)),
    "adafactor_optax_args": ("adafactor", dict(factored=False, multiply_by_parameter_scale=False, clipping_threshold=None,
                                               momentum=0.8, dtype_momentum="bfloat16", weight_decay_rate=0.1)),
    "lars": ("lars", dict(learning_rate=-50.0, weight_decay=0.1, eps=1e-3, nesterov=True)),
    "lars_masks": ("lars", dict(learning_rate=-0.5, weight_decay=0.1, weight_decay_mask=False, trust_ratio_mask=False, momentum=0.5)),
    "fromage": ("fromage", dict(learning_rate=-0.3)),
    "ema": ("ema", dict(decay=0.8)),
    "ema_bf16": ("ema", dict(decay=0.9, debias=False, accumulator_dtype="bfloat16")),
    "scale_by_param_block_norm": ("scale_by_param_block_norm", dict(min_scale=2.5)),
    "scale_by_param_block_rms": ("scale_by_param_block_rms", dict(min_scale=0.8)),
    "normalize_by_update_norm": ("normalize_by_update_norm", dict(scale_factor=2.0, eps=0.1)),
}


def tree(seed, big=False):
  rng = np.random.default_rng(seed)
  n = lambda *s: rng.standard_normal(s).astype(np.float32)
  return {
      "Dense_0": {"bias": n(5), "kernel": n(32, 32) if big else n(5, 4)},
      "LayerNorm_0": {"scale": n(5)},
      "embedding": {"kernel": n(2, 2, 3, 4)},
      "head": {"bias": n(3), "kernel": n(6, 3)},
      "pos_embedding": n(1, 4, 5),
  }


def run(config, params, grads, jit=jax.jit):
  tx, sched_fns = bv_optax.make(mlc.ConfigDict(config), params, sched_kw=dict(SCHED_KW))
  opt = jax.jit(tx.init)(params)
  out = {}
  @jit
  def update(params, opt, grads):
    updates, opt = tx.update(grads, opt, params)
    return optax.apply_updates(params, updates), opt
  for step, g in enumerate(grads):
    params, opt = update(params, opt, g)
    out.update(c.flat(jax.device_get(params), f"params/{step}/"))
  for i, fn in enumerate(sched_fns):
    fn = jax.jit(fn)
    out[f"schedule/{i}"] = np.array([fn(jnp.int32(s)) for s in range(STEPS)], np.float32)
  return out, opt


def optimizers():
  for label, (config, note) in MAKE.items():
    big = label == "adafactor"
    params = tree(0, big)
    grads = [tree(1 + step, big) for step in range(STEPS)]
    if label == "per_example":  # The second example is small enough, the third is zero.
      scales = np.float32([2, 0.02, 0])
      grads = [jax.tree.map(lambda x: np.stack([x * s for s in scales]), g) for g in grads]
    if label == "clip":  # A gradient of zero must not make a NaN, and a small one must not be scaled.
      grads[2] = jax.tree.map(np.zeros_like, grads[2])
      grads[3] = jax.tree.map(lambda x: 1e-3 * x, grads[3])
    out, opt = run(config, params, grads)
    inputs = c.flat(params, "params/")
    for step, g in enumerate(grads):
      inputs.update(c.flat(g, f"grads/{step}/"))
    loose = "adafactor" in label or "bf16" in label or label in ("momentum_hp", "adam_vit_s16")
    tolerance = dict(atol=1e-3, rtol=1e-4) if loose else dict(atol=1e-5, rtol=1e-5)
    args = dict(config=config, sched_kw=SCHED_KW, steps=STEPS)
    c.save_case(
        f"opt_{label}", kind="optimizer", name="optax.make", args=args, inputs=inputs, outputs=out,
        note=note + " inputs: params/<path>, grads/<step>/<path>; outputs: params/<step>/<path> after each update, "
        "schedule/<i> at steps 0 to 9.", jit=True, **tolerance)

    if label in ("adam_vit_s16", "frozen", "schedules", "momentum_hp", "adafactor_args", "sgd", "wd_mults"):
      save_state(label, config, params, grads, tolerance)


def save_state(label, config, params, grads, tolerance):
  inputs = c.flat(params, "params/")
  for step, g in enumerate(grads[:2]):
    inputs.update(c.flat(g, f"grads/{step}/"))
  _, opt = run(config, params, grads[:2])
  state = named_state(opt, {k[len("params/"):]: v.shape for k, v in inputs.items() if k.startswith("params/")})
  c.save_case(
      f"optstate_{label}", kind="optimizer", name="optax.make:state",
      args=dict(config=config, sched_kw=SCHED_KW, steps=2), inputs=inputs,
      outputs={"dtypes": json.dumps({k: str(v.dtype) for k, v in state.items()}),
               **{f"state/{k}": v for k, v in state.items()}}, string_outputs=["dtypes"],
      note="the state of the transform after two steps, under the names of optax's fields, without counts and placeholders. "
      "bfloat16 is widened.", jit=True, **tolerance)


def rest_of_optax():
  params = small_tree(0)
  grads = [small_tree(1 + step) for step in range(STEPS)]
  grads[4]["kernel"] *= 0  # What is divided by a norm or by a root must not become a NaN.
  for label, (name, optax_args) in OPTAX.items():
    config = dict(BASE, optax_name=name, optax=optax_args)
    tolerance = dict(atol=1e-3, rtol=1e-4) if "bfloat16" in str(optax_args) else dict(atol=1e-5, rtol=1e-5)
    if label != "scale_by_novograd_bf16":
      inputs = c.flat(params, "params/")
      for step, g in enumerate(grads):
        inputs.update(c.flat(g, f"grads/{step}/"))
      out, _ = run(config, params, grads)
      args = dict(config=config, sched_kw=SCHED_KW, steps=STEPS)
      c.save_case(f"opt_{label}", kind="optimizer", name="optax.make", args=args, inputs=inputs, outputs=out,
                  note=f"{name} of optax.", jit=True, **tolerance)
    if label in ("scale_by_amsgrad_bf16", "scale_by_novograd_bf16", "novograd", "rmsprop_centered", "rprop"):
      save_state(label, config, params, grads, tolerance)


def small_tree(seed):
  return {"bias": c.normal(seed, (3,)), "kernel": c.normal(100 + seed, (2, 3, 2))}


def options():
  """What each transform and alias of the cases takes, beside cases/: option to default, without masks and functions."""
  names = {name for name, _ in OPTAX.values()} | {config["optax_name"] for config, _ in MAKE.values()}
  names |= {"adam", "adamax", "identity", "optimistic_gradient_descent", "scale", "scale_by_adadelta", "scale_by_sign"}
  left_out = ("mask", "weight_decay_mask", "trust_ratio_mask", "decay_rate_fn")
  found = {}
  for name in sorted(names):
    parameters = inspect.signature(operator.attrgetter(name)(optax)).parameters.values()
    found[name] = {
        p.name: "required" if p.default is p.empty else getattr(p.default, "__name__", p.default)
        for p in parameters if p.name not in left_out}
  (c.CASES.parent / "optax_options.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def by_op():
  """Without jit, decay * moment is rounded to bfloat16, by which steps differ by up to 1e-2 of their size."""
  params = {"head": {"bias": c.normal(0, (3,)), "kernel": c.normal(1, (4, 3))}}
  grads = [{"head": {"bias": c.normal(2 + s, (3,)), "kernel": c.normal(20 + s, (4, 3))}} for s in range(STEPS)]
  for label, name, optax_args in (("momentum_hp", "big_vision.momentum_hp", {}), ("adam", "scale_by_adam", dict(mu_dtype="bfloat16")),
                                  ("adafactor", "big_vision.scale_by_adafactor", {})):
    config = dict(BASE, optax_name=name, optax=optax_args)
    out, _ = run(config, params, grads, jit=lambda f: f)
    inputs = c.flat(params, "params/")
    for step, g in enumerate(grads):
      inputs.update(c.flat(g, f"grads/{step}/"))
    c.save_case(
        f"opt_by_op_{label}", kind="optimizer", name="optax.make", args=dict(config=config, sched_kw=SCHED_KW, steps=STEPS),
        inputs=inputs, outputs=out, note="moments in bfloat16, every op by itself.", atol=1e-6, rtol=1e-5)


def named_state(opt, shapes):
  """FIELD/PARAMETER to values. Not the counts: those of schedules, which every state has, look the same."""
  state = {}
  for path, value in jax.tree_util.tree_flatten_with_path(opt)[0]:
    fields = [p.name for p in path if isinstance(p, jax.tree_util.GetAttrKey) and p.name != "inner_state"]
    name = "/".join(fields[-1:] + [p.key for p in path if isinstance(p, jax.tree_util.DictKey)])
    parameter = name.partition("/")[2]
    placeholder = value.shape == (1,) and shapes.get(parameter, (1,)) != (1,)
    if name != "count" and not placeholder:
      state[name] = np.asarray(value)
  return state


def errors():
  params = tree(0)
  results = []
  configs = [
      dict(BASE, schedule=[["head/.*", COSINE]]), dict(BASE, lr_mults=[["head/.*", 0.0]]),
      dict(BASE, weight_decay=0.1), dict(BASE, weight_decay_decouple=False), dict(BASE, optim={}),
      dict(BASE, schedule=dict(COSINE, base=2.0)), dict(BASE, schedule=[["/head/.*", COSINE], [".*", COSINE]]),
      dict(BASE, optax_name="scale_by_nothing"), dict(BASE, schedule=dict(decay_type="wrong")),
      dict(BASE, schedule=dict(warmup_steps=10)), dict(BASE, schedule=dict(warmup_steps=3, warmup_epochs=1)),
      dict(BASE, schedule=[[".*", None]]), dict(BASE)]
  for config in configs:
    try:
      run(config, params, [params])
      results.append("ok")
    except Exception as e:  # pylint: disable=broad-exception-caught
      message = str(e).splitlines()[0].split("{'")[0]  # Without sets, whose order changes.
      results.append({"error": type(e).__name__, "message": message})
  c.save_case(
      "opt_errors", kind="optimizer", name="optax.make:errors", args=dict(configs=configs, sched_kw=SCHED_KW),
      inputs=c.flat(params, "params/"), outputs=dict(result=json.dumps(results)), string_outputs=["result"],
      note="which configurations fail, and the original's words; only that it fails is required.")


SCHEDULES = {
    "default": dict(),
    "cosine": dict(decay_type="cosine"),
    "cosine_warmup_cooldown": dict(decay_type="cosine", warmup_steps=7, cooldown_steps=5),
    "cosine_warmup_percent": dict(decay_type="cosine", warmup_percent=0.1),
    "cosine_batch": dict(decay_type="cosine", warmup_epochs=2, scale_with_batchsize=True, batch_size=32, data_size=100),
    "linear": dict(decay_type="linear"),
    "linear_end": dict(decay_type="linear", warmup_steps=5, linear_end=0.01),
    "linear_end2": dict(decay_type="linear", end=0.2, cooldown_examples=64, batch_size=16, data_size=100),
    "polynomial": dict(decay_type="polynomial", power=2, end=0.1, warmup_steps=3),
    "rsqrt": dict(decay_type="rsqrt"),
    "rsqrt_timescale": dict(decay_type="rsqrt", timescale=20, shift=4, warmup_steps=10, cooldown_steps=10),
    "rsqrt_epochs": dict(decay_type="rsqrt", timescale_epochs=3, shift_epochs=1, warmup_epochs=1, batch_size=16, data_size=100),
    "stair": dict(decay_type="stair", steps=[12, 24, 36], mults=[0.5, 0.1, 0.01]),
    "stair_warmup": dict(decay_type="stair", steps=[10, 20], mults=[0.1, 0.01], warmup_steps=5, cooldown_steps=3),
    "base": dict(decay_type="cosine", base=0.3, warmup_steps=2),
    "sizes_unknown": dict(decay_type="cosine", warmup_epochs=0.3, cooldown_examples=64),
    "null": dict(decay_type="linear", warmup_steps=None, warmup_percent=0.2, cooldown_epochs=None),
    "stair_between": dict(decay_type="stair", steps=[10.5, 20], mults=[2.0, 3.0]),
    "stair_short": dict(decay_type="stair", steps=[12, 50], mults=[0.5]),  # NaN from 50 on.
}


def schedules():
  total = 40
  for label, args in SCHEDULES.items():
    args = dict(args, total_steps=total)
    fn = jax.jit(c.u.create_learning_rate_schedule(**args))
    steps = np.arange(total + 1, dtype=np.int32)
    c.save_case(
        f"sched_{label}", kind="schedule", name="create_learning_rate_schedule", args=args, inputs=dict(step=steps),
        outputs=dict(lr=np.array([fn(s) for s in steps], np.float32)), note=label.replace("_", " "),
        atol=1e-6, rtol=2e-5)
  # A run of no steps or one step must not fail, whatever the warmup.
  for total in (0, 1):
    args = dict(decay_type="cosine", warmup_steps=5, total_steps=total)
    fn = c.u.create_learning_rate_schedule(**args)
    c.save_case(f"sched_total_{total}", kind="schedule", name="create_learning_rate_schedule", args=args,
                inputs=dict(step=np.array([0, 1], np.int32)), outputs=dict(lr=np.array([fn(0), fn(1)], np.float32)),
                note="warmup longer than the whole run is allowed here.", atol=1e-6, rtol=2e-5)


def steps_and_itstime():
  ds, bs = 1281167, 1024
  calls = []
  for cfg in ({"foo_steps": 3}, {"foo_steps": 0}, {"foo_epochs": 90}, {"foo_epochs": 0.0001}, {"foo_epochs": 0},
              {"foo_examples": 300}, {"foo_examples": 1536}, {"foo_examples": 2560}, {"foo_percent": 0.1},
              {"foo_percent": 0.0}, {"foo_percent": 1.0}, {"foo_percent": 0.015}, {"foo_steps": -1, "foo_epochs": 1}):
    calls.append(dict(prefix="foo", config=cfg, data_size=ds, batch_size=bs, total_steps=100))
  calls += [
      dict(prefix="foo", config={}, data_size=ds, batch_size=bs, total_steps=100, default=7),
      dict(prefix="foo", config={"foo_steps": None, "foo_percent": 0.25}, data_size=None, batch_size=None, total_steps=10),
      dict(prefix="foo", config={"foo_epochs": 1}, data_size=None, batch_size=16, total_steps=100, default=11),
      dict(prefix="log", config={"log_steps": 50, "logs_epochs": 2}, data_size=ds, batch_size=bs, total_steps=100)]
  c.save_case("sched_steps", kind="schedule", name="steps", args=dict(calls=calls),
              outputs=dict(steps=np.array([c.u.steps(**call) for call in calls], np.int32)),
              note="Python's round (half to even), at least 1 unless exactly 0; steps are returned as they are.")

  bad = [dict(prefix="foo", config={}), dict(prefix="foo", config={"foo_epochs": 3}, batch_size=8),
         dict(prefix="foo", config={"foo_steps": 3, "foo_epochs": 1}),
         dict(prefix="foo", config={"foo_percent": 1.5}, total_steps=10)]
  result = []
  for call in bad:
    try:
      result.append(c.u.steps(**call))
    except (ValueError, AssertionError) as e:
      result.append({"error": type(e).__name__})
  c.save_case("sched_steps_errors", kind="schedule", name="steps:errors", args=dict(calls=bad),
              outputs=dict(result=json.dumps(result)), string_outputs=["result"], note="all of these must fail.")

  for i, args in enumerate((
      dict(every_n_steps=10, total_steps=100), dict(every_n_steps=7, total_steps=50),
      dict(every_n_steps=10, total_steps=42), dict(every_n_steps=10, total_steps=43),
      dict(every_n_steps=20, total_steps=44, last=False), dict(every_n_steps=10, total_steps=30, first=False),
      dict(every_n_steps=10, total_steps=52, first=False, last=True, drop_close_to_last=0.0),
      dict(every_n_steps=None, total_steps=20), dict(every_n_steps=0, total_steps=20),
      dict(every_n_steps=1, total_steps=5), dict(every_n_steps=1000, total_steps=20),
      dict(every_n_steps=5, total_steps=20, host=0), dict(every_n_steps=5, total_steps=20, host=1))):
    steps = np.arange(args["total_steps"] + 1, dtype=np.int32)
    c.save_case(f"sched_itstime_{i}", kind="schedule", name="itstime", args=args, inputs=dict(step=steps),
                outputs=dict(output=np.array([bool(c.u.itstime(int(s), **args)) for s in steps])),
                note="whether an action runs at each step.")


if __name__ == "__main__":
  for prefix in ("opt_", "optstate_", "sched_"):
    c.clear(prefix)
  optimizers()
  rest_of_optax()
  options()
  by_op()
  errors()
  schedules()
  steps_and_itstime()
