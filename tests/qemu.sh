#!/bin/sh
# Runs the C tests on CPUs that this machine is not, by qemu's user-mode emulation: one without AVX,
# one with AVX2 but without AVX-512.
#
#   tests/qemu.sh [BUILD]        BUILD: a folder that tests/run.sh or meson made; default build-tests
#
# Debian package qemu-user. Takes a few minutes; not part of tests/run.sh.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build-tests}
command -v qemu-x86_64 >/dev/null || { echo "$0: install qemu-user first" >&2; exit 1; }
[ -x "$build/tests/network/network-run" ] || { echo "$0: no tests in $build" >&2; exit 1; }

failed=0
passed=0
check() { # NAME COMMAND...
    name=$1
    shift
    if "$@" >"$build/qemu.log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $name" >&2
        grep -v "TCG doesn't support" "$build/qemu.log" >&2 || true
    fi
}

for cpu in Nehalem Haswell; do
    echo "== $cpu: $(qemu-x86_64 -cpu $cpu "$build/src/scarlet" --version -v 2>/dev/null | sed -n 's/.*using //p')"
    for options in engine=auto engine=fused engine=xnnpack; do
        check "$cpu, small, $options" qemu-x86_64 -cpu $cpu "$build/tests/network/network-run" \
            "$build/tests/small.safetensors" 40 5 - - $options
        check "$cpu, SCARLET-B, $options" qemu-x86_64 -cpu $cpu "$build/tests/network/network-run" \
            "$build/tests/network/b.safetensors" 32 3 - - $options
    done
    check "$cpu, kernels" qemu-x86_64 -cpu $cpu "$build/tests/checkkernels/checkkernels" --rounds 60
    check "$cpu, options" qemu-x86_64 -cpu $cpu "$build/tests/unit/test-options"
    check "$cpu, misuse" qemu-x86_64 -cpu $cpu "$build/tests/unit/test-misuse" "$build/tests/small.safetensors"
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
