#!/bin/sh
# Compares libscarlet with other engines on this machine; see README.md.
#
#   tests/bench/run.sh [WORK] [OPTION OF measure.py]...
#
# WORK (default build-bench/work) receives rivals, models and results: results.md, results.json,
# results.svg, growth.md, growth.json, pictures.md. Debian 12 or 13, as root where packages are
# missing. May be run again: what is there already is kept.
set -eu
cd "$(dirname "$0")/../.."
. examples/packages.sh

work=build-bench/work
case ${1:-} in
"" | -*) ;;
*) work=$1; shift ;;
esac
ort=1.30.0
python=/usr/bin/python3
here=tests/bench

install_packages $build_packages python3-numpy python3-torch python3-opencv util-linux \
    python3-torchvision python3-pil dataset-fashion-mnist
command -v npm >/dev/null || install_packages nodejs npm
build build-bench -Dbuildtype=release -Dexamples=false
mkdir -p "$work/build" "$work/npm"

if [ ! -d "$work/npm/node_modules/onnxruntime-web" ]; then
    say "Fetching ONNX Runtime $ort"
    echo '{"private": true}' >"$work/npm/package.json"
    # The package's install script would fetch parts for GPUs.
    (cd "$work/npm" && npm install --ignore-scripts --no-audit --no-fund --silent \
        "onnxruntime-node@$ort" "onnxruntime-web@$ort")
fi

say "Building the workers"
flags="-O3 -std=gnu11 -Wall -Wextra -ffp-contract=fast"
gcc $flags $here/peak.c -o "$work/build/peak" -pthread
gcc $flags $here/worker_ort.c -o "$work/build/worker_ort" -ldl
gcc $flags -Iinclude $here/worker_scarlet.c -o "$work/build/worker_scarlet" \
    -Lbuild-bench/lib -lscarlet -Wl,-rpath,"$PWD/build-bench/lib"
gcc $flags -Iinclude $here/decode.c -o "$work/build/decode" \
    -Lbuild-bench/lib -lscarlet -ljpeg -Wl,-rpath,"$PWD/build-bench/lib"

if [ ! -f "$work/models/C.reference.npz" ]; then
    say "Making models and right answers"
    $python -W ignore $here/models.py "$work/models"
fi

say "Timing the engines"
$python $here/measure.py "$work" "$@"
$python $here/report.py "$work"
say "Timing how cost grows"
$python $here/growth.py build-bench "$work" >"$work/growth.md"
say "Timing pictures"
SCARLET_LIBRARY=build-bench/lib/libscarlet.so.0 PYTHONPATH=bindings/python \
    $python -W ignore $here/pictures.py "$work/build/decode" >"$work/pictures.md"
cat "$work/results.md" "$work/growth.md" "$work/pictures.md"
say "Tables: $work/results.md, growth.md, pictures.md; bars: $work/results.svg"
