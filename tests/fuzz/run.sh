#!/bin/sh
# Fuzzes with libFuzzer under AddressSanitizer and UndefinedBehaviorSanitizer.
#
#   tests/fuzz/run.sh SECONDS [NAME...]
#
# Each fuzzer (all without names) runs for SECONDS; needs clang. Corpora grow in build-fuzz/corpus;
# an input that fails is left in build-fuzz.
set -eu
cd "$(dirname "$0")/../.."
. examples/packages.sh
seconds=${1:?usage: tests/fuzz/run.sh SECONDS [NAME...]}
shift

# name, program, what makes its seeds
table="legacy checkpoint checkpoint_seeds.py
zip checkpoint checkpoint_seeds.py
safetensors checkpoint checkpoint_seeds.py
pickle pickle checkpoint_seeds.py"

if [ ! -f build-fuzz/build.ninja ]; then
    CC=clang meson setup build-fuzz -Dbuildtype=debugoptimized -Dfuzz=true -Dcli=false \
        -Dexamples=false -Db_sanitize=address,undefined -Db_lundef=false \
        -Dc_args="-fsanitize=fuzzer-no-link,integer -fno-sanitize-recover=all"
fi

status=0
for name in ${*:-$(echo "$table" | cut -d' ' -f1)}; do
    set -- $(echo "$table" | grep "^$name ")
    [ $# = 3 ] || fail "no fuzzer is called $name"
    ninja -C build-fuzz --quiet tests/fuzz/fuzz-"$2"
    [ -d "build-fuzz/corpus/$name" ] || /usr/bin/python3 "tests/fuzz/$3" build-fuzz/corpus
    say "Fuzzing $name for $seconds s"
    build-fuzz/tests/fuzz/fuzz-"$2" "build-fuzz/corpus/$name" -dict="tests/fuzz/dictionaries/$name" \
        -max_total_time="$seconds" -malloc_limit_mb=64 -rss_limit_mb=512 -timeout=5 -max_len=4096 \
        -artifact_prefix="build-fuzz/$name-" -print_final_stats=1 2>"build-fuzz/$name.log" || {
        cat "build-fuzz/$name.log"
        status=1
    }
    grep "number_of_executed_units\|peak_rss" "build-fuzz/$name.log" || true
    echo "corpus: $(ls "build-fuzz/corpus/$name" | wc -l) inputs"
done
exit $status
