#!/usr/bin/env bash
# Trains on all hosts of a TPU slice: the same command runs on each, over ssh, from your own machine.
#
#   launch/tpu_pod.sh NAME ZONE --config configs/vit_s16_i1k.ts --workdir /mnt/share/run1
#
# Beforehand, once for each slice:
#   gcloud compute tpus tpu-vm create NAME --zone ZONE --accelerator-type v5litepod-256 --version v2-alpha-tpuv5-lite
#   gcloud compute tpus tpu-vm ssh NAME --zone ZONE --worker=all --command 'git clone REPOSITORY ~/bv && cd ~/bv && npm ci && npx bv runtime install tpu'
# The workdir is a folder that all hosts see (Filestore, gcsfuse); the data has to be there for all of them too.
#
# Each host learns from Cloud's metadata which one it is and who the others are. Chips find each other by themselves; the
# coordinator is for checkpoints and for stopping together. Ctrl-C here ends the ssh sessions; SIGTERM to one host's `bv`
# (as Cloud sends before it preempts) makes all write a checkpoint and stop. Run it again to go on.
set -euo pipefail

if [[ $# -lt 4 ]]; then
  sed -n '2,4p' "$0" >&2
  exit 2
fi
name=$1 zone=$2
shift 2
folder=${BV_FOLDER:-bv}
port=${BV_PORT:-8476}

remote=$(
  cat <<'HOST'
set -euo pipefail
metadata() { curl -sf -H 'Metadata-Flavor: Google' "http://metadata.google.internal/computeMetadata/v1/instance/attributes/$1"; }
# One entry a host, with the address last: "unknown:unknown:10.0.0.2,unknown:unknown:10.0.0.3".
endpoints=$(metadata worker-network-endpoints)
count=$(tr ',' '\n' <<<"$endpoints" | wc -l)
first=$(cut -d, -f1 <<<"$endpoints" | rev | cut -d: -f1 | rev)
index=$(metadata agent-worker-number)
HOST
)
printf -v arguments ' %q' "$@"
remote+=$'\n'"cd ~/$folder"
# Not through npx, which ends at SIGTERM before the checkpoint is written.
remote+=$'\n'"exec node bin/bv.js train --processes \"\$count\" --process \"\$index\" --coordinator \"\$first:$port\"$arguments"

exec gcloud compute tpus tpu-vm ssh "$name" --zone "$zone" --worker=all --command "$remote"
