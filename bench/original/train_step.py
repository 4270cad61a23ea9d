"""Times a train step of the original under JAX: one JSON object on stdout.

  ORIGINAL=path/to/big_vision python train_step.py JOB STEPS

JOB is an entry of jobs.json, as JSON.
"""

import importlib
import json
import os
import resource
import sys
import time

sys.path.insert(0, os.environ["ORIGINAL"])

import jax
import jax.numpy as jnp
import numpy as np
import optax

jax.config.update("jax_threefry_partitionable", True)

import ml_collections
from big_vision import optax as bv_optax
from big_vision import utils as u

job, steps = json.loads(sys.argv[1]), int(sys.argv[2])
size = job["image"][0]
config = ml_collections.ConfigDict(
    dict(
        optax_name="scale_by_adam",
        lr=1e-3,
        wd=1e-4,
        grad_clip_norm=1.0,
        schedule=dict(decay_type="cosine", warmup_steps=10),
    )
)
model = importlib.import_module(f"big_vision.models.{job['model']}").Model(**job["options"])
image = np.random.RandomState(0).uniform(-1, 1, job["image"]).astype(np.float32)
if "text" in job:
    labels = (np.arange(np.prod(job["text"])) % 999 + 1).astype(np.int32).reshape(job["text"])
else:
    labels = np.eye(job["classes"], dtype=np.float32)[np.arange(size)]
inputs = (image, labels) if "text" in job else (image,)

rng, rng_init = jax.random.split(jax.random.PRNGKey(0))
params = jax.jit(lambda r: model.init(r, *inputs)["params"])(rng_init)
_, rng_loop = jax.random.split(rng)
tx, _ = bv_optax.make(config, params, sched_kw=dict(total_steps=1000, batch_size=size, data_size=100_000))
state = {"params": params, "opt": jax.jit(tx.init)(params)}


def softmax_loss(apply, image, labels):
    logits, _ = apply(image)
    return u.softmax_xent(logits=logits, labels=labels)


def pair_loss(apply, image, text):
    zimg, ztxt, out = apply(image, text)
    logits = jnp.dot(zimg, ztxt.T) * out["t"] + out["b"]
    signs = 2 * jnp.eye(size) - 1
    return -jnp.mean(jnp.sum(jax.nn.log_sigmoid(signs * logits), axis=-1))


loss_of = pair_loss if "text" in job else softmax_loss


def update(state, rng, image, labels):
    """The update of the original's trainers, without mixup."""
    rng = jax.random.fold_in(rng, bv_optax.get_count(state["opt"], jittable=True))
    _, rng_model = jax.random.split(rng)

    def loss_fn(params):
        apply = lambda *xs: model.apply({"params": params}, *xs, train=True, rngs={"dropout": rng_model})
        return loss_of(apply, image, labels)

    loss, grads = jax.value_and_grad(loss_fn)(state["params"])
    updates, opt = tx.update(grads, state["opt"], state["params"])
    params = optax.apply_updates(state["params"], updates)
    norm = lambda tree: jnp.sqrt(sum(jnp.sum(x * x) for x in jax.tree.leaves(tree)))
    metrics = dict(training_loss=loss, l2_grads=norm(grads), l2_params=norm(params), l2_updates=norm(updates))
    return {"params": params, "opt": opt}, metrics


start = time.perf_counter()
lowered = jax.jit(update, donate_argnums=0).lower(state, rng_loop, image, labels)
traced = time.perf_counter()
compiled = lowered.compile()
compile_s = time.perf_counter() - traced

losses, times = [], []
for _ in range(steps):
    start_step = time.perf_counter()
    state, metrics = compiled(state, rng_loop, image, labels)
    losses.append(float(metrics["training_loss"]))
    times.append((time.perf_counter() - start_step) * 1e3)

print(
    json.dumps(
        dict(
            trace_s=traced - start,
            compile_s=compile_s,
            step_ms=times,
            losses=losses,
            peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        )
    )
)
