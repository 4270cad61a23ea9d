"""GSAM: single gradients (kind `optimizer`) and a short training run (kind `train`)."""

import common as c
import big_vision.optax as bv_optax
from big_vision.models import vit
from big_vision.trainers.proj.gsam.gsam import gsam_gradient
import jax
import jax.numpy as jnp
import make_init
import make_train
import ml_collections as mlc
import numpy as np
import optax

VIT = dict(num_classes=4, patch_size=[4, 4], width=8, depth=1, num_heads=2, mlp_dim=16, head_zeroinit=False)
GSAM = dict(rho_max=0.6, rho_min=0.1, alpha=0.6, lr=0.5, lr_max=1.0, lr_min=0.1)

# label: (what differs from GSAM, note)
VARIANTS = {
    "default": (dict(), "min(f_p, h), the original GSAM."),
    "adaptive": (dict(adaptive_perturbation=True, rho_max=6.0, rho_min=1.0), "perturbation times |w|."),
    "min_f": (dict(minimize_fp=False), "min(f, h)."),
    "adaptive_min_f": (dict(adaptive_perturbation=True, minimize_fp=False, rho_max=6.0, rho_min=1.0), "both."),
    "sam": (dict(alpha=0.0, rho_max=0.3, rho_min=0.3), "alpha 0 and equal rhos: SAM."),
    "equal_lr": (dict(lr=0.5, lr_max=0.5, lr_min=0.5), "lr_max == lr_min: rho is rho_max."),
    "warmup_lr": (dict(lr=0.0), "lr below lr_min, as during warmup: rho goes below rho_min (here negative)."),
    "eps": (dict(eps=10.0), "a large eps, to see where it goes."),
}


def mlp_logits(params, x):
  x = jnp.reshape(x, (x.shape[0], -1))
  x = jnp.tanh(x @ params["Dense_0"]["kernel"] + params["Dense_0"]["bias"])
  return x @ params["head"]["kernel"] + params["head"]["bias"]


def gradients():
  model = vit.Model(**VIT)
  image = c.normal(0, (6, 8, 8, 3), 0.5)
  labels = c.onehot(0, 6, 4)
  vit_params = c.perturb(model.init(jax.random.PRNGKey(0), image)["params"], 1)
  small = c.normal(1, (6, 2, 2, 3))
  mlp_params = {"Dense_0": {"kernel": c.normal(2, (12, 8), 0.3), "bias": c.normal(3, (8,), 0.1)},
                "head": {"kernel": c.normal(4, (8, 4), 0.3), "bias": c.normal(5, (4,), 0.1)}}
  vit_logits = lambda p, x: model.apply({"params": p}, x, train=True)[0]

  for name, logits_fn, params, x, model_args in (
      ("vit", vit_logits, vit_params, image, VIT),
      ("mlp", mlp_logits, mlp_params, small, dict(activation="tanh"))):
    for label, (changes, note) in VARIANTS.items():
      kw = {**GSAM, **changes}
      loss = "sigmoid_xent" if label == "min_f" else "softmax_xent"
      def loss_fn(params, inputs, targets):
        return getattr(c.u, loss)(logits=logits_fn(params, inputs), labels=targets)  # pylint: disable=cell-var-from-loop
      value, grads = jax.jit(lambda p, x, y: gsam_gradient(loss_fn, p, x, y, **kw))(params, x, labels)  # pylint: disable=cell-var-from-loop
      if name == "mlp":
        note += " The model is dense, tanh, dense (head) on the flattened image."
      c.save_case(
          f"gsam_{name}_{label}", kind="optimizer", name="proj/gsam/gsam_gradient",
          args=dict(kw, model=name, model_args=model_args, loss=loss),
          inputs={"image": x, "labels": labels, **c.flat(params, "params/")},
          outputs={"loss": value, **c.flat(jax.device_get(grads), "grad/")}, note=note, atol=5e-5, rtol=2e-3)


def trajectory():
  lr, linear_end = 0.01, 0.01
  base = dict(
      seed=0, total_steps=5, num_classes=10, loss="sigmoid_xent", model_name="vit",
      model=dict(patch_size=[7, 7], width=16, depth=1, num_heads=2, mlp_dim=32), init_head_bias=-4.6,
      grad_clip_norm=1.0, optax_name="scale_by_adam", optax=dict(mu_dtype="float32"), lr=lr, wd=0.001,
      schedule=dict(warmup_steps=2, decay_type="linear", linear_end=linear_end), input=dict(batch_size=16),
      gsam=dict(rho_max=0.6, rho_min=0.1, alpha=0.6, lr_max=lr, lr_min=linear_end * lr))
  for label, changes in (
      ("default", {}),
      ("adaptive_min_f", dict(gsam=dict(base["gsam"], adaptive_perturbation=True, minimize_fp=False))),
      ("sam", dict(gsam=dict(rho_max=0.05, rho_min=0.05, alpha=0.0, lr_max=lr, lr_min=linear_end * lr)))):
    cfg = {**base, **changes}
    config = mlc.ConfigDict(cfg)
    image, labels = make_train.make_data(config.total_steps, seed=3)
    model = vit.Model(num_classes=config.num_classes, **config.model)
    params, _ = make_init.as_train(model, config.seed, np.zeros(image.shape[1:], np.float32), config.init_head_bias)
    tx, sched_fns = bv_optax.make(config, params, sched_kw=dict(
        total_steps=config.total_steps, batch_size=config.input.batch_size,
        data_size=config.total_steps * config.input.batch_size))
    opt = jax.jit(tx.init)(params)

    @jax.jit
    def update_fn(params, opt, images, labels, step):
      """The update step of trainers/proj/gsam/train.py, on one device."""
      def loss_fn(params, images, labels):
        logits, _ = model.apply({"params": params}, images, train=True)  # pylint: disable=cell-var-from-loop
        return getattr(c.u, config.loss)(logits=logits, labels=labels)  # pylint: disable=cell-var-from-loop
      learning_rate = sched_fns[0](step) * config.lr  # pylint: disable=cell-var-from-loop
      l, grads = gsam_gradient(loss_fn=loss_fn, params=params, inputs=images, targets=labels, lr=learning_rate,
                               **config.gsam)  # pylint: disable=cell-var-from-loop
      updates, opt = tx.update(grads, opt, params)  # pylint: disable=cell-var-from-loop
      params = optax.apply_updates(params, updates)
      norm = lambda t: jnp.sqrt(sum(jnp.vdot(x, x) for x in jax.tree.leaves(t)))
      gs = bv_optax.replace_frozen(config.schedule, grads, 0.)  # pylint: disable=cell-var-from-loop
      return params, opt, dict(training_loss=l, l2_grads=norm(gs), l2_params=norm(params), l2_updates=norm(updates),
                               gsam_lr=learning_rate)

    rows = []
    for step in range(1, config.total_steps + 1):
      params, opt, m = update_fn(params, opt, image[step - 1], labels[step - 1], step)
      rows.append(jax.device_get(m))
    outputs = {k: np.array([r[k] for r in rows], np.float32) for k in rows[0]}
    outputs.update({k: v for k, v in c.flat(jax.device_get(params), "params/").items() if not k.endswith("/key/bias")})
    c.save_case(
        f"train_gsam_{label}", kind="train", name="proj/gsam/train", args=dict(config=cfg),
        inputs=dict(image=image, labels=labels), outputs=outputs, atol=2e-5, rtol=2e-4,
        note="parameters from the seed as in train.py. The gradient is taken with gsam_lr = schedule(step) * lr where "
        "step counts from 1, while the update itself uses schedule(step - 1). training_loss is the clean loss. Outputs "
        "by step, and the final params/<path> (without attention key biases, whose gradient is rounding noise).")
    print({k: np.round(v, 5).tolist() for k, v in outputs.items() if "/" not in k})


if __name__ == "__main__":
  jax.config.update("jax_transfer_guard", "allow")  # make_train imports train.py, which forbids it.
  c.clear("gsam_")
  c.clear("train_gsam_")
  gradients()
  trajectory()
