#!/bin/sh
# Counts how many of Fashion-MNIST's 10,000 test pictures the demonstration model gets right, once
# by PyTorch and once by the scarlet command, from the same PNG files. Fails unless they agree.
#
#   examples/train/evaluate.sh [BUILD_FOLDER]     default: the first of build, build-quickstart
#
# Needs: apt-get install python3-torch python3-torchvision python3-pil python3-numpy dataset-fashion-mnist
set -eu
cd "$(dirname "$0")/../.."

folder=${1:-build}
[ -n "${1:-}" ] || [ -x build/src/scarlet ] || folder=build-quickstart
command=$folder/src/scarlet
[ -x "$command" ] || { echo "evaluate.sh: no $command; run examples/quickstart.sh first" >&2; exit 1; }

pictures=$(mktemp -d)
trap 'rm -rf "$pictures"' EXIT
/usr/bin/python3 examples/train/export_pictures.py "$pictures"
OMP_NUM_THREADS=1 /usr/bin/python3 examples/train/evaluate.py --scarlet "$command" \
    examples/models/fashion-mnist-scarlet-c.safetensors "$pictures"
