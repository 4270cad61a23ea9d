"""Cases of kind `ops`: the ops that tfjs has none of, with their gradients."""

import common as c
import jax
import jax.numpy as jnp
import numpy as np

EQUATIONS = {
    "ij,jk->ik": ((3, 4), (4, 5)),
    "bqhd,bkhd->bhqk": ((2, 3, 4, 5), (2, 6, 4, 5)),
    "bhqk,bkhd->bqhd": ((2, 4, 3, 6), (2, 6, 4, 5)),
    "nd,nd->n": ((3, 4), (3, 4)),
    "ij,kl->likj": ((2, 3), (4, 5)),
    "ijk,j->ki": ((2, 3, 4), (3,)),
    "ij,jk->": ((3, 4), (4, 5)),
    "bij,bjk->ik": ((2, 3, 4), (2, 4, 5)),
    "ij,kj->k": ((3, 4), (5, 4)),
}


def elementwise():
  tails = np.array([-30, -10, -6, 0, 6, 10, 30], np.float32)
  x = np.concatenate([tails, c.normal(0, (256,), 2.0)])
  u = np.concatenate([np.array([-1, -0.9999999, 0, 1e-20, 0.9999999, 1], np.float32),
                      np.random.default_rng(1).uniform(-1, 1, 256).astype(np.float32)])
  out = {}
  for name, f, at in (("gelu", jax.nn.gelu, x),
                      ("gelu_exact", lambda x: jax.nn.gelu(x, approximate=False), x),
                      ("erf_inv", jax.lax.erf_inv, u),
                      ("log_sigmoid", jax.nn.log_sigmoid, x)):
    out[name] = f(at)
    first = jax.vmap(jax.grad(f))
    # The ends, where it is infinite, have no gradient worth comparing.
    inside = at[np.abs(at) < 1] if name == "erf_inv" else at
    out[f"{name}/grad"] = first(inside)
    if name != "erf_inv":
      out[f"{name}/grad2"] = jax.vmap(jax.grad(jax.grad(f)))(inside)
  return dict(x=x, u=u), out


def einsum():
  inputs, out = {}, {}
  for i, (equation, (a, b)) in enumerate(EQUATIONS.items()):
    a, b = c.normal(2 * i, a), c.normal(2 * i + 1, b)
    f = lambda a, b, equation=equation: jnp.einsum(equation, a, b, precision="highest")
    y, vjp = jax.vjp(f, a, b)
    dy = c.normal(100 + i, y.shape)
    da, db = vjp(dy)
    inputs.update({f"{i}/a": a, f"{i}/b": b, f"{i}/dy": dy})
    out.update({f"{i}/y": y, f"{i}/da": da, f"{i}/db": db})
  return inputs, out


def initializers():
  init = jax.nn.initializers
  key = jax.random.PRNGKey(3)
  return {
      "he_normal/6x20": init.he_normal()(key, (6, 20)),
      "truncated_normal/50": init.truncated_normal(0.02, lower=-3.0, upper=1.5)(key, (50,)),
      "fan_out/3x5x20": init.variance_scaling(0.5, "fan_out", "normal")(key, (3, 5, 20)),
      "fan_geo_avg/3x5x20": init.variance_scaling(2.0, "fan_geo_avg", "uniform")(key, (3, 5, 20)),
      "axes/4x3x2x5": init.variance_scaling(
          1.0, "fan_in", "truncated_normal", in_axis=(0, 2), out_axis=3)(key, (4, 3, 2, 5)),
      "batch_axis/4x3x5": init.lecun_normal(batch_axis=(0,))(key, (4, 3, 5)),
  }


def main():
  c.clear("ops_")
  c.save_case("ops_initializers", kind="ops", name="jax.nn.initializers", args=dict(seed=3),
              outputs=initializers(), atol=1e-9, rtol=1e-6,
              note="each with PRNGKey(seed) itself. Where a normal distribution's log1p differs, by a few last units.")
  inputs, outputs = elementwise()
  c.save_case("ops_elementwise", kind="ops", name="jax.nn", inputs=inputs, outputs=outputs, atol=1e-6, rtol=3e-6,
              tolerances={".*/grad2": dict(atol=1e-5, rtol=1e-5)},
              note="values, first and second derivatives: gelu, gelu_exact and log_sigmoid of x, erf_inv of u "
              "(its derivative where |u| < 1). In the tails of gelu 1 - tanh^2 keeps few digits.")
  inputs, outputs = einsum()
  c.save_case("ops_einsum", kind="ops", name="jnp.einsum", args=dict(equations=list(EQUATIONS)),
              inputs=inputs, outputs=outputs, atol=2e-6, rtol=2e-6,
              note="y = einsum(equation, a, b); da and db are the gradients for dy.")


if __name__ == "__main__":
  main()
