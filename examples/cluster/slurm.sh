#!/bin/sh
#SBATCH --job-name=scarlet-verify
#SBATCH --array=0-7
#SBATCH --cpus-per-task=4
#SBATCH --requeue
#SBATCH --open-mode=append
# One shard a task, on file systems that all nodes share:
#
#   export MODEL=scarlet-a.pth.tar DATA=imagenet OUT=out
#   mkdir -p $OUT; job=$(sbatch --parsable slurm.sh)
#   sbatch --dependency=afterok:$job --wrap "scarlet verify --merge $OUT/*.json"
#
# A task that is requeued goes on with its journal.
set -eu
shard=$((SLURM_ARRAY_TASK_ID - SLURM_ARRAY_TASK_MIN))
scarlet verify --quiet --json --model "$MODEL" --shard "$shard/$SLURM_ARRAY_TASK_COUNT" \
    --journal "$OUT/$shard.journal" --resume "$DATA" >"$OUT/$shard.json"
