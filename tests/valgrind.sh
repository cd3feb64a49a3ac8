#!/bin/sh
# Runs the main paths under Valgrind's memcheck: load of each kind of file, sessions of each engine
# and precision, decoding, preprocessing, classifying, conversion, evaluation; leaks are errors.
#
#   tests/valgrind.sh [BUILD [OPTION]]
#
# BUILD is a folder of a build without sanitizers, by default build-tests; OPTION is empty for one without XNNPACK.
# Debian packages valgrind, python3-torch, python3-pil. Valgrind has no AVX-512: the kernels are those of AVX2 and the portable ones.
set -eu
cd "$(dirname "$0")/.."
build=$(cd "${1:-build-tests}" && pwd)
command -v valgrind >/dev/null || { echo "$0: install valgrind first" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

check() { # COMMAND...
    if valgrind -q --error-exitcode=99 --leak-check=full --suppressions=tests/valgrind.supp \
        --show-leak-kinds=definite,indirect,possible --errors-for-leak-kinds=definite,indirect,possible \
        --fair-sched=yes "$@" >"$work/out" 2>"$work/err"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $*" >&2
        cat "$work/err" >&2
    fi
}

model=$build/tests/small.safetensors
/usr/bin/python3 -B tests/soak/pool.py "$work/pool" # a file of each kind
mkdir -p "$work/data/a" "$work/data/b"
cp examples/pictures/00-*.png "$work/data/a"
cp examples/pictures/09-*.png "$work/data/b"
for options in engine=fused engine=fused,isa_max=portable ${2-engine=xnnpack} precision=int8 precision=int16; do
    check "$build/tests/network/network-run" "$model" 32 2 - - $options
done
check "$build/tests/unit/test-misuse" "$model"
check "$build/src/scarlet" info "$work/pool/1.pth.tar"
check "$build/src/scarlet" convert --storage f16 "$work/pool/0.pth.tar" "$work/half.safetensors"
check "$build/src/scarlet" classify -m "$work/half.safetensors" -o threads=2,input_size=32 \
    "$work"/pool/3-*.jpg "$work"/pool/3-*.png "$work"/pool/*-interlaced.png
check "$build/src/scarlet" verify -q -m "$model" -j 2 --class-order folders --journal "$work/journal" \
    --report "$work/report.html" "$work/data"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
