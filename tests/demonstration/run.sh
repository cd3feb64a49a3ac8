#!/bin/sh
# Prints all that the documents say of the demonstration model, from Fashion-MNIST's 10,000 test pictures as PNG
# files: scarlet's count and PyTorch's, which must be equal, and what int8 and int16 change.
#
#   tests/demonstration/run.sh [BUILD_FOLDER [MODEL]]     default: the first of build, build-quickstart; the model of examples
#
# Needs: apt-get install python3-torch python3-torchvision python3-pil python3-numpy dataset-fashion-mnist
set -eu
cd "$(dirname "$0")/../.."

folder=${1:-build}
[ -n "${1:-}" ] || [ -x build/src/scarlet ] || folder=build-quickstart
scarlet=$folder/src/scarlet model=${2:-examples/models/fashion-mnist-scarlet-c.safetensors}
[ -x "$scarlet" ] || { echo "$0: no $scarlet; run examples/quickstart.sh first" >&2; exit 1; }
for module in torch torchvision PIL numpy; do
    /usr/bin/python3 -c "import sys, importlib.util as u; sys.exit(not u.find_spec('$module'))" ||
        { echo "$0: Debian's Python has no $module; the first lines of this file name the packages" >&2; exit 1; }
done

pictures=$(mktemp -d)
trap 'rm -rf "$pictures"' EXIT
tests/demonstration/export_pictures.py "$pictures"
OMP_NUM_THREADS=1 tests/demonstration/count.py --scarlet "$scarlet" "$model" "$pictures"
for precision in int16 int8; do
    "$scarlet" verify --quiet --model "$model" "$pictures" --compare precision=$precision
done
"$scarlet" verify --quiet --model "$model" examples/labelled
