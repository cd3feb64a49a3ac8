#!/bin/sh
#SBATCH --job-name=scarlet-front
#SBATCH --array=0-7
#SBATCH --cpus-per-task=4
#SBATCH --requeue
#SBATCH --open-mode=append
# Trains the networks that search.sh found, each on from its weights in the supernet; a part of them a task:
#
#   job=$(sbatch --parsable search.sh); sbatch --dependency=afterok:$job front.sh [OPTION OF scarlet train]...
#
# Network i, from 1 in the order of pareto.csv, becomes $OUT/front/i/best.safetensors. A task that is requeued goes
# on where it was. With GNU parallel, on this machine or others:
#
#   seq 0 7 | parallel --env DATA --env OUT SLURM_ARRAY_TASK_ID={} SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_COUNT=8 ./front.sh
set -eu
shard=$((SLURM_ARRAY_TASK_ID - SLURM_ARRAY_TASK_MIN))
mkdir -p "$OUT/front"
sed -n 's/^"\([^"]*\)".*/\1/p' "$OUT/found/pareto.csv" | awk -v i=$shard -v n="$SLURM_ARRAY_TASK_COUNT" \
    'NR % n == i { print NR, $0 }' | while read -r number genotype; do
    run="$OUT/front/$number"
    if [ -e "$run/last.ckpt" ]; then
        scarlet train --quiet --output "$run" --resume
        continue
    fi
    rm -rf "$run"
    scarlet export "$OUT/super" --genotype "$genotype" --output "$run.safetensors"
    scarlet train --quiet "$DATA" --initial-checkpoint "$run.safetensors" --output "$run" "$@"
done
