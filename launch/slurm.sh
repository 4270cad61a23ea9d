#!/usr/bin/env bash
#SBATCH --job-name=bv
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=64
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@300
#SBATCH --requeue
#SBATCH --output=bv-%j.log
# Trains on GPU nodes: one process a node, with all of its GPUs.
#
#   sbatch --nodes=4 launch/slurm.sh --config configs/vit_s16_i1k.ts --workdir /shared/run1
#
# Beforehand, in a clone that all nodes see: npm ci && npx bv runtime install cuda13
# `srun` tells each process which one it is; the first node is the coordinator. Five minutes before the time is up SLURM sends
# SIGTERM: all write a checkpoint and stop with exit code 75, and the job is queued again to go on.
set -uo pipefail

# Not through npx, which ends at SIGTERM with a code of its own, and before the checkpoint is written.
srun --kill-on-bad-exit=0 --label node bin/bv.js train "$@"
code=$?
if [[ $code -eq 75 ]]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
