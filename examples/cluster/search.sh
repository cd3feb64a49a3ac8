#!/bin/sh
#SBATCH --job-name=scarlet-search
#SBATCH --ntasks=4
#SBATCH --cpus-per-task=4
#SBATCH --requeue
#SBATCH --open-mode=append
# Trains a supernet, then searches with it, by all tasks of the job, on file systems that all nodes share:
#
#   export DATA=photos SPACE=default OUT=out
#   mkdir -p $OUT; sbatch search.sh [OPTION OF scarlet supernet]...
#
# A job that is requeued, or submitted again, goes on where it was. Without Slurm, MPIRUN is what starts the
# processes: MPIRUN='mpirun --hostfile hosts --map-by node --bind-to none' ./search.sh
set -eu
run() {
    ${MPIRUN:-mpirun --bind-to none} scarlet "$@"
}
if [ -e "$OUT/super/supernet.safetensors" ]; then
    run supernet --quiet --output "$OUT/super" --resume
else
    rm -rf "$OUT/super"
    run supernet --quiet "$DATA" --space "$SPACE" --output "$OUT/super" --let "$@"
fi
resume=
[ ! -d "$OUT/found" ] || resume=--resume
run search --quiet "$OUT/super" --output "$OUT/found" $resume
