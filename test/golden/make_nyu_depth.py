"""nyu_depth.h5: a small file as in nyudepthv2.tar.gz, and what TFDS makes of its depth. Needs h5py and numpy alone."""

import pathlib

import h5py
import numpy as np

HERE = pathlib.Path(__file__).parent


def main():
  depth = np.array([0.7, 1 / 3, 2.0004883, 2.0014648, 9.9987, 0, 3e-5, 5.1], np.float32).reshape(2, 4)
  with h5py.File(HERE / "nyu_depth.h5", "w") as f:
    f.create_dataset("rgb", data=np.arange(24, dtype=np.uint8).reshape(3, 2, 4), compression="gzip")
    f.create_dataset("depth", data=depth)
    # As TFDS keeps it.
    f.create_dataset("depth_in_tfds", data=depth.astype(np.float16).astype(np.float32))


if __name__ == "__main__":
  main()
