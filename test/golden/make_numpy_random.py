# Copyright 2026 the project's authors. Licensed under the Apache License, Version 2.0.
"""Writes `numpy_random.json`, beside the cases: what few-shot evaluation draws with numpy.random.default_rng."""

import json
import pathlib

import numpy as np

SIZES = [0, 1, 2, 3, 5, 10, 16, 37, 1, 0, 100]


def draws(seed):
  rng = np.random.default_rng(seed)
  return [rng.permutation(np.arange(n) * 3 + 1).tolist() for n in SIZES]


def last_of_many(seed):
  return np.random.default_rng(seed).permutation(np.arange(100_000))[-3:].tolist()


if __name__ == "__main__":
  seeds = [0, 1, 2, 3, 1234, 2**31 + 5, 2**32 + 7, 2**45 + 2**33 + 9]
  recorded = dict(sizes=SIZES, seeds={s: draws(s) for s in seeds}, last_of_many={s: last_of_many(s) for s in seeds})
  path = pathlib.Path(__file__).parent / "numpy_random.json"
  path.write_text(json.dumps(recorded) + "\n", encoding="utf-8")
