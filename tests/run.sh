#!/bin/sh
# Installs what the tests need, builds libscarlet four times (as released, with sanitizers, once by
# clang, and without XNNPACK) and runs every test.
#
#   tests/run.sh [--no-install]
#
# Debian 12 or 13, as root where packages are missing (--no-install: as they are). May be run again.
# Exit code 0 if all passed.
set -eu
cd "$(dirname "$0")/.."
. examples/packages.sh
case $#,${1:-} in
0, | 1,--no-install) ;;
1,-h | 1,--help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit ;;
*) echo "$0: unknown arguments: $*; see --help" >&2; exit 2 ;;
esac
say "On two free CPUs this takes an hour or two, and 2 GB here; packages to install, up to 4 GB"

test_packages="g++ clang python3-pytest python3-numpy python3-torch python3-torchvision
    python3-pil python3-distributed python3-setuptools python3-wheel
    python3-build python3-pip python3-venv mypy libjpeg-dev binutils groff-base chromium locales
    libclang-rt-dev abigail-tools bzip2 cmake make doxygen zsh parallel python3-yaml dataset-fashion-mnist
    valgrind python3-scipy libopenmpi-dev openmpi-bin"

if [ "${1:-}" != --no-install ]; then
    install_packages $build_packages $test_packages
    # Debian 13 has none: there the test of the format is left out.
    [ -z "$(apt-cache search --names-only '^clang-format-14$')" ] || install_packages clang-format-14
fi

# PyTorch's threads would fight with those under test.
export OMP_NUM_THREADS=1
build build-tests --werror -Dtests=true -Dbuildtype=release
build build-sanitize --werror -Dtests=true -Dbuildtype=debugoptimized -Db_sanitize=address,undefined \
    -Db_lundef=false -Dc_args=-fno-sanitize-recover=all

# Time limits are there for what hangs: a busy machine must not reach them.
run_tests() { # FOLDER [ARGUMENT OF meson test]...
    folder=$1
    shift
    meson test -C "$folder" --no-rebuild --print-errorlogs --timeout-multiplier 5 "$@" || status=1
}
say "Running the tests"
status=0
run_tests build-tests
# Left out: Open MPI, which leaks; tests that only read the sources, those that load the library into Python, the comparison
# with PyTorch (the suite network-c runs the same code), those of the released binary and of programs
# built with it, and the camera example, which counts allocations in the sanitizer's place.
say "Running the C tests with AddressSanitizer and UndefinedBehaviorSanitizer"
run_tests build-sanitize --no-suite python --no-suite network --no-suite api --no-suite install \
    --no-suite cpp --no-suite mpi --no-suite examples --no-suite source

say "Running threads with ThreadSanitizer"
(export CC=clang; build build-threads --werror -Dtests=true -Dbuildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false)
run_tests build-threads --suite threads --suite network-c --suite nas-c

say "Running the C tests without XNNPACK"
build build-plain --werror -Dtests=true -Dbuildtype=release -Dxnnpack=disabled -Dcli=false -Dexamples=false -Dnas=disabled
run_tests build-plain --suite unit --suite network-c --suite threads --suite faults

count() { # of test programs with one of these results, in all logs
    cat build-tests/meson-logs/testlog.json build-sanitize/meson-logs/testlog.json \
        build-threads/meson-logs/testlog.json build-plain/meson-logs/testlog.json | grep -cE "\"result\": \"($1)\"" || true
}
passed=$(count OK)
failed=$(count 'FAIL|TIMEOUT|ERROR|INTERRUPT|UNEXPECTEDPASS')
skipped=$(count SKIP)
echo "$passed passed, $failed failed, $skipped skipped"
[ "$skipped" = 0 ] || echo "A skipped test proves nothing: treated as a failure." >&2
[ $status = 0 ] && [ "$failed" = 0 ] && [ "$skipped" = 0 ] && [ "$passed" -gt 0 ]
