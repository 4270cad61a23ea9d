#!/usr/bin/env bash
# Makes the Python environment in which the original runs, for the benchmarks alone.
set -euo pipefail
cd "$(dirname "$0")/original"
python3 -m venv .venv
.venv/bin/pip install --quiet -r requirements.txt
echo "PYTHON=$PWD/.venv/bin/python"
