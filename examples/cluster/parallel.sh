#!/bin/sh
# Evaluates shards side by side with GNU parallel, on this machine or on those of --sshlogin, and sums them.
#
#   parallel.sh MODEL DATA SHARDS OUT [OPTION OF parallel]...
#
# Run it again after a failure: the journals in OUT go on where they were. Exit status as scarlet verify.
set -eu
export MODEL="$1" DATA="$2" SHARDS="$3" OUT="$4"
shift 4
mkdir -p "$OUT"
seq 0 $((SHARDS - 1)) | parallel --will-cite --env MODEL --env DATA --env SHARDS --env OUT "$@" \
    'scarlet verify --quiet --json --jobs 1 --model "$MODEL" --shard {}/"$SHARDS" \
        --journal "$OUT"/{}.journal --resume "$DATA" >"$OUT"/{}.json'
cd "$OUT"
scarlet verify --merge $(seq -f %.0f.json 0 $((SHARDS - 1)))
