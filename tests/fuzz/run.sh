#!/bin/sh
# Fuzzes with libFuzzer under AddressSanitizer, UndefinedBehaviorSanitizer and -fsanitize=integer.
#
#   tests/fuzz/run.sh [-j N] SECONDS [NAME...]
#   tests/fuzz/run.sh --merge [NAME...]
#
# Each fuzzer (all without names) runs for SECONDS of CPU time, N of them at once (1); needs clang.
# What they find grows in build-fuzz/corpus. Exit code 1 if one found a fault: it then says how to
# see it again. --merge puts the least part of build-fuzz/corpus that covers as much in place of
# tests/fuzz/corpus.
set -eu
cd "$(dirname "$0")/../.."
. examples/packages.sh
usage="usage: tests/fuzz/run.sh [-j N] SECONDS [NAME...], or --merge [NAME...]"
names="api idx jpeg labels latency legacy list networks options pickle png results resume safetensors search spaces supernet tar training zip"
build=build-fuzz jobs=1 merge= seconds=
if [ "${1:-}" = --merge ]; then
    merge=yes
else
    [ "${1:-}" != -j ] || { jobs=${2:?$usage}; shift 2; }
    seconds=${1:?$usage}
fi
shift || fail "$usage"
for name; do
    case " $names " in *" $name "*) ;; *) fail "no fuzzer is called $name: there are $names" ;; esac
done
names=${*:-$names}

if [ ! -f $build/build.ninja ]; then
    CC=clang meson setup $build -Dtests=true -Dfuzz=true -Dexamples=false -Dbuildtype=debugoptimized \
        -Db_sanitize=address,undefined -Db_lundef=false -Dc_args="-fsanitize=fuzzer-no-link,integer \
-fno-sanitize-recover=all -fsanitize-ignorelist=$PWD/tests/fuzz/ignorelist.txt" >/dev/null
fi
ninja -C $build --quiet $(printf "tests/fuzz/fuzz-%s " $names) tests/image/image-make-jpeg

# prepare NAME: its corpus is there, with the seeds, what is kept and what was found before.
prepare() {
    [ ! -d "$build/corpus/$1" ] || return 0
    mkdir -p "$build/corpus/$1"
    tar -xzf "tests/fuzz/corpus/$1.tar.gz" -C "$build/corpus/$1"
    [ ! -d "$build/seeds/$1" ] || cp "$build/seeds/$1"/* "$build/corpus/$1"
    [ ! -d "tests/fuzz/regressions/$1" ] || cp "tests/fuzz/regressions/$1"/* "$build/corpus/$1"
}

if [ ! -d $build/seeds ]; then
    say "Making seeds"
    for script in tests/fuzz/seeds_*.py; do
        SCARLET_MAKE_JPEG=$build/tests/image/image-make-jpeg OMP_NUM_THREADS=1 \
            /usr/bin/python3 -B "$script" $build/seeds.new
    done
    mv $build/seeds.new $build/seeds
fi

# fuzzer NAME ARGUMENT...: runs it; its dictionary and limits are given.
fuzzer() {
    name=$1
    shift
    [ ! -f "tests/fuzz/dictionaries/$name" ] || set -- "$@" "-dict=tests/fuzz/dictionaries/$name"
    exec "$build/tests/fuzz/fuzz-$name" "$@" -malloc_limit_mb=64 -rss_limit_mb=512 -timeout=5 \
        -artifact_prefix="$build/$name-" -print_final_stats=1 >"$build/$name.log" 2>&1
}

# CPU time of a process in seconds.
cpu_time() {
    sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | {
        read -r _ _ _ _ _ _ _ _ _ _ _ user system _ || user=0 system=0
        echo $(((user + system) / $(getconf CLK_TCK)))
    }
}

if [ $merge ]; then
    for name in $names; do
        prepare "$name"
        rm -rf "$build/merged"
        mkdir "$build/merged"
        (fuzzer "$name" -merge=1 "$build/merged" "$build/corpus/$name") ||
            { cat "$build/$name.log"; fail "$name does not merge"; }
        tar -cf - --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$build/merged" \
            $(ls "$build/merged") | gzip -9n >"tests/fuzz/corpus/$name.tar.gz"
        echo "$name: $(ls "$build/corpus/$name" | wc -l) inputs, $(ls "$build/merged" | wc -l) are kept"
    done
    exit
fi

# input NAME: that at which it ended.
input() {
    sed -n 's/.*Test unit written to //p' "$build/$1.log" | tail -1
}

# innocent NAME: did it end at an input that took long only because the machine was busy? 70: of -timeout.
innocent() {
    [ $status = 70 ] && "$build/tests/fuzz/fuzz-$1" -timeout=5 "$(input "$1")" >/dev/null 2>&1
}

# run NAME: fuzzes for its time; one line of the table. The exit code is in NAME.status.
run() {
    prepare "$1"
    used=0 executions=0
    while :; do
        now=0 status=0
        (fuzzer "$1" "$build/corpus/$1") &
        child=$!
        while [ $((used + now)) -lt "$seconds" ] && kill -0 $child 2>/dev/null; do
            sleep 1
            last=$(cpu_time $child)
            [ "$last" -lt $now ] || now=$last # 0 when it has ended
        done
        kill -USR1 $child 2>/dev/null || true # ends after the input at hand
        wait $child || status=$?
        used=$((used + now))
        units=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$1.log" | tail -1)
        executions=$((executions + ${units:-0}))
        innocent "$1" || break
        rm "$(input "$1")"
        status=0
        [ $used -lt "$seconds" ] || break
    done
    echo $status >"$build/$1.status"
    last=$(grep -o "cov: [0-9]* ft: [0-9]*" "$build/$1.log" | tail -1)
    printf '%-12s %8s %12s %8s %8s %8s   %s\n' "$1" "$used" "$executions" \
        "$(ls "$build/corpus/$1" | wc -l)" \
        "$(echo "$last" | cut -d' ' -f2)" "$(echo "$last" | cut -d' ' -f4)" \
        "$([ $status = 0 ] && echo "no fault" || echo "FAULT")"
}

say "Fuzzing for $seconds s of CPU time each"
printf '%-12s %8s %12s %8s %8s %8s\n' fuzzer seconds executions corpus edges features
started=0
for name in $names; do
    run "$name" &
    started=$((started + 1))
    [ $((started % jobs)) != 0 ] || wait
done
wait

failed=0
for name in $names; do
    [ "$(cat "$build/$name.status")" != 0 ] || continue
    failed=1
    say "$name found a fault:"
    grep -m1 -A 25 "ERROR: \|runtime error: " "$build/$name.log" || tail -20 "$build/$name.log"
    input=$(input "$name")
    [ -z "$input" ] || say "to see it again: $build/tests/fuzz/fuzz-$name -malloc_limit_mb=64 $input
   once repaired, keep it: cp $input tests/fuzz/regressions/$name/WHAT-IT-IS"
done
exit $failed
