#!/bin/sh
# Finds a network for this machine, trains it and compares it with the demonstration model: all steps
# of the method, on Fashion-MNIST.
#
#   examples/search/run.sh [--quick] [FOLDER]      FOLDER: where everything goes; default: fashion-search
#
# Takes half an hour on two cores. --quick: a minute, with few pictures and a small space; it shows the
# steps, and its network is of no use. What was interrupted goes on when the script is run again with
# the same FOLDER. Debian 12 or 13; run it as root to have missing packages installed. $SCARLET names a
# command that is installed already; otherwise it is built in build-quickstart.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
quick=
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=yes ;;
    -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit ;;
    -*) echo "$0: unknown argument: $1; see --help" >&2; exit 2 ;;
    *) break ;;
    esac
    shift
done
[ $# -le 1 ] || { echo "$0: one folder at most; see --help" >&2; exit 2; }
out=${1:-fashion-search}
mkdir -p "$out"
out=$(cd "$out" && pwd)

cd "$top"
. examples/packages.sh
if [ -z "${SCARLET:-}" ]; then
    install_packages $build_packages dataset-fashion-mnist python3-numpy python3-pil
    build build-quickstart
    SCARLET=$top/build-quickstart/src/scarlet
fi
demonstration=examples/models/fashion-mnist-scarlet-c.safetensors
names=examples/models/fashion-mnist-labels.txt
data=/usr/share/datasets/fashion-mnist
[ -d "$data" ] || fail "no $data: apt-get install dataset-fashion-mnist"

space=28px                        # 8 layers of 13 choices, or 14 with the identity
train="--val-fraction 0.05"       # of 60,000 pictures
super="--opt epochs=3 --opt val-fraction=0.05"
latency="--checks 50 --rounds 5"  # 384 networks to fit, and two times 50
search="--population 32 --generations 12"
# Lighter augmentation than the default: a network this small underfits.
tune="--epochs 100 --lr 0.002 --batch-size 128 --reprob 0 --scale 0.9,1"
goal=93.0
if [ -n "$quick" ]; then
    space=243
    train="--val-fraction 0.2"
    super="--opt epochs=1 --opt val-fraction=0.2 --watch 4"
    latency="--checks 5 --rounds 2"
    search="--population 8 --generations 3"
    tune="--epochs 3 --lr 0.004 --batch-size 64"
    goal=0
fi

# ---- stages ----

# some PREFIX COUNT: the first pictures of a part, as IDX files of their own.
some() {
    count=$(printf '\\0\\0\\%03o\\%03o' $(($2 / 256)) $(($2 % 256)))
    for file in images-idx3 labels-idx1; do
        size=$(($2 * 784)) head=16
        [ $file = images-idx3 ] || { size=$2 head=8; }
        gzip -dc "$data/$1-$file-ubyte.gz" >"$out/whole"
        {
            head -c 4 "$out/whole"
            printf "$count"
            tail -c +9 "$out/whole" | head -c $((head - 8 + size))
        } >"$out/data/$1-$file-ubyte"
        rm "$out/whole"
    done
}

pictures() {
    mkdir -p "$out/data"
    some train 2500
    some t10k 500
}

latency() {
    $SCARLET latency --space $space $latency --output "$out/latency.csv" --plot "$out/latency.html"
}

supernet() {
    if [ -f "$out/super/supernet.safetensors" ]; then
        $SCARLET supernet --output "$out/super" --resume
    else
        rm -rf "$out/super" # killed before there was anything to resume
        $SCARLET supernet "$data" --names $names --space $space --output "$out/super" --let $super
    fi
}

search() {
    resume=
    [ ! -d "$out/search" ] || resume=--resume
    $SCARLET search "$out/super" --output "$out/search" $resume --latency "$out/latency.csv" \
        --objectives cross_entropy,latency --max-macs "$macs" --max-latency "$milliseconds" $search --measure
}

export_front() {
    $SCARLET export "$out/super" --front "$out/search/pareto.csv" --output "$out/children"
}

# The first of the front is the one that the supernet holds to be the most accurate.
fine_tune() {
    resume=
    [ ! -d "$out/tuned" ] || resume=--resume
    $SCARLET train "$data" --names $names $train --initial-checkpoint "$out/children/01.safetensors" \
        $tune --ema on --output "$out/tuned" $resume
}

# The test pictures as files, as any user's pictures are.
test_pictures() {
    if [ -n "$quick" ]; then
        rm -f "$out/test"
        ln -s "$top/examples/labelled" "$out/test"
    else
        /usr/bin/python3 tests/demonstration/export_pictures.py "$out/test"
    fi
}

verify() {
    verify_one $demonstration demonstration
    verify_one "$out/tuned/best.safetensors" found
}

verify_one() {
    $SCARLET verify --model "$1" "$out/test" --report "$out/$2.html" >"$out/$2.txt"
    cat "$out/$2.txt"
}

# ---- figures ----

# top1 NAME: percent, as verify_one has counted it.
top1() {
    sed -n 's/^Top-1 *\([0-9.]*\) .*/\1/p' "$out/$1.txt"
}

# costs MODEL: its multiply-adds.
costs() {
    $SCARLET info "$1" | sed -n 's/^Multiply-adds *//p' | tr -d ,
}

# fastest MODEL...: milliseconds of an inference, a line a model; they take turns.
fastest() {
    for turn in 1 2 3 4 5; do
        for model; do
            $SCARLET bench --quiet --json --runs 200 --model "$model" |
                sed 's/.*"infer", "runs": [0-9]*, "min_ms": \([0-9.e-]*\),.*/\1/'
        done
    done | awk -v models=$# '{ i = NR % models; if (!(i in least) || $1 < least[i]) least[i] = $1 }
        END { for (i = 1; i <= models; i++) print least[i % models] }'
}

# clock: sets `now`, and `used`, the CPU seconds of the commands that have ended; no subshell's.
clock() {
    now=$(date +%s)
    times >"$out/times"
    used=$(awk -F '[ms ]+' 'NR == 2 { printf "%.0f", 60 * $1 + $2 + 60 * $3 + $4 }' "$out/times")
    rm "$out/times"
}

# stage NAME TEXT [MINUTES]: runs the function unless it was done before.
stage() {
    if [ -f "$out/done/$1" ]; then
        say "$2: done before"
        return
    fi
    [ -n "$quick" ] || [ $# -lt 3 ] || set -- "$1" "$2 (about $3 minutes)"
    say "$2"
    clock
    since=$now spent=$used
    $1
    clock
    mkdir -p "$out/done"
    echo "$((now - since)) $((used - spent))" >"$out/done/$1"
    echo "   took $((now - since)) s, $((used - spent)) CPU seconds"
}

# ---- all of it ----

[ -z "$quick" ] || { stage pictures "3,000 of the pictures" && data=$out/data; }
stage supernet "Supernet: trains all networks of the space at once" 7
stage latency "Latency: times networks of the space on this machine" 1

# A search that goes on keeps its limits.
[ -f "$out/limits" ] || {
    echo "$(($(costs $demonstration) / 8)) $(fastest $demonstration | awk '{ print $1 / 4 }')" >"$out/limits.new"
    mv "$out/limits.new" "$out/limits"
}
read -r macs milliseconds <"$out/limits"
say "At most $macs multiply-adds and $milliseconds ms: an eighth and a quarter of the demonstration model's"
stage search "Search: networks that are accurate and fast" 2
stage export_front "Export: a model file of each network of the front"
stage fine_tune "Fine-tuning of the most accurate" 17
stage test_pictures "The test pictures as files"
stage verify "Verification"

child=$out/tuned/best.safetensors
fastest $demonstration "$child" | {
    read -r old
    read -r new
    awk -v goal=$goal -v old="$old" -v new="$new" -v old_right="$(top1 demonstration)" -v right="$(top1 found)" \
        -v old_macs="$(costs $demonstration)" -v new_macs="$(costs "$child")" 'BEGIN {
        printf "\n%-22s %14s %16s %12s\n", "", "multiply-adds", "inference, ms", "top-1, %"
        printf "%-22s %14d %16.3f %12.2f\n", "demonstration model", old_macs, old, old_right
        printf "%-22s %14d %16.3f %12.2f\n", "found here", new_macs, new, right
        printf "%-22s %14s %16s\n", "share of it", sprintf("1/%.1f", old_macs / new_macs), sprintf("1/%.1f", old / new)
        if (right < goal || 8 * new_macs > old_macs || 4 * new > old) {
            print "\nThe goal was missed: " goal " % with an eighth of the multiply-adds and a quarter of the latency."
            exit 1
        }
    }'
}
awk '{ wall += $1; cpu += $2 } END { printf "All stages: %.1f minutes, %.1f CPU minutes\n", wall / 60, cpu / 60 }' "$out"/done/*
cat <<END

$child                     # for scarlet classify
$out/search/report.html    # how it was found
$out/tuned/report.html     # how it learned
$out/found.html            # what it gets wrong
END
