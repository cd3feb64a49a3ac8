#!/bin/sh
# Builds the page into FOLDER (default build-web): static files, for any web server.
#
#   examples/web/build.sh [FOLDER] && python3 -m http.server -d build-web
#
# Needs Debian's emscripten.
set -eu
cd "$(dirname "$0")/../.."
out=${1:-build-web}
here=examples/web
mkdir -p "$out"

# Everything but decoders, since the browser decodes, and what platform.c replaces.
sources=$(find lib -name '*.c' ! -path '*/kernels/*' ! -name '*_avx2.c' ! -name build_info.c \
    ! -path 'lib/nas/*' ! -path lib/common/cpu.c ! -path lib/common/cgroup.c \
    ! -path lib/engine/xnnpack/executor.c ! -path lib/engine/xnnpack/operators.c \
    ! -path lib/engine/xnnpack/pool.c ! -path lib/engine/fused/team.c \
    ! -path lib/image/decode.c ! -path lib/image/jpeg.c ! -path 'lib/image/png*' ! -path lib/image/probe.c)
kernels=lib/engine/kernels

sed -f lib/results/names.sed lib/results/imagenet-1k.tsv >"$out/imagenet-1k.inc"
emcc -std=c11 -D_GNU_SOURCE -O3 -flto -msimd128 -Wall -Wextra -Werror -Iinclude -Ilib -I"$out" \
    -DSCARLET__SUFFIX=portable -DSCARLET__VECTOR=4 \
    $sources $kernels/dispatch.c $kernels/depthwise.c $kernels/elementwise.c $kernels/gemm.c \
    $kernels/integer.c $here/platform.c $here/page.c \
    --no-entry -sSTANDALONE_WASM -sALLOW_MEMORY_GROWTH -sEXPORTED_FUNCTIONS=_malloc,_free \
    -o "$out/scarlet.wasm"
rm "$out/imagenet-1k.inc"
cp $here/index.html $here/app.js "$out"
mkdir -p "$out/samples"
for picture in 00-t-shirt-top-0019 01-trouser-0002 02-pullover-0001 03-dress-0013 04-coat-0006 \
    05-sandal-0008 07-sneaker-0009 08-bag-0018 09-ankle-boot-0039; do
    cp "examples/pictures/$picture.png" "$out/samples"
done
cp examples/models/fashion-mnist-scarlet-c.safetensors "$out/model.safetensors"
