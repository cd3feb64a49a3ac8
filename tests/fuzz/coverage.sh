#!/bin/sh
# Line coverage of each parser by the corpus of its own fuzzers (llvm-cov); needs clang and llvm.
#
#   tests/fuzz/coverage.sh [--lines]
#
# --lines prints the lines that are not reached, too.
set -eu
cd "$(dirname "$0")/../.."
. examples/packages.sh
build=build-coverage
export LLVM_PROFILE_FILE=/dev/null # of programs that only build others

# fuzzers: what they are to cover
table="legacy pickle: lib/formats/pickle.c lib/formats/values.c lib/formats/torch_legacy.c lib/formats/torch_names.c \
lib/formats/state_dict.c lib/formats/arena.c
zip: lib/formats/zip.c lib/formats/torch_zip.c
safetensors: lib/formats/safetensors.c lib/formats/json.c
legacy zip safetensors: lib/formats/open.c lib/formats/tensors.c lib/formats/names.c lib/formats/sort.c \
lib/formats/dtype.c lib/formats/sniff.c
jpeg png: lib/image/exif.c
jpeg png api: lib/image/probe.c
jpeg: lib/image/jpeg.c
png: lib/image/png.c lib/image/png_chunks.c lib/image/png_orientation.c
labels api: lib/results/labels.c
labels: lib/common/utf8.c
options api: lib/options/options.c
list: src/common/lines.c src/common/cells.c src/pictures/table.c src/pictures/lists.c src/pictures/truth.c
tar: src/pictures/tar.c
results: src/common/json_read.c src/verify/merge.c src/verify/journal.c"


names=$(echo "$table" | sed 's/:.*//' | tr ' ' '\n' | sort -u)
[ -f $build/build.ninja ] || CC=clang CFLAGS="-fprofile-instr-generate -fcoverage-mapping" \
    meson setup $build -Dtests=true -Dbuildtype=debug -Dexamples=false >/dev/null
ninja -C $build --quiet $(printf "tests/fuzz/%s tests/fuzz/fuzz-%s " $(for n in $names; do echo $n $n; done))

rm -f $build/*.profraw
for name in $names; do
    LLVM_PROFILE_FILE="$build/$name.profraw" \
        $build/tests/fuzz/fuzz-"$name" $build/tests/fuzz/"$name" \
        $(ls -d tests/fuzz/regressions/"$name" 2>/dev/null) >/dev/null
done

printf '%-30s %-24s %6s %6s\n' file fuzzers lines reached
echo "$table" | while IFS=: read -r names files; do
    llvm-profdata merge -o $build/merged.profdata $(printf "$build/%s.profraw " $names)
    objects=$(printf -- " -object $build/tests/fuzz/fuzz-%s" $names)
    for file in $files; do
        llvm-cov export -format=lcov -instr-profile=$build/merged.profdata \
            ${objects#" -object"} "$PWD/$file" |
            awk -F'[:,]' -v file="$file" -v names="$names" -v lines="${1:-}" '
                /^SF:/ { own = $0 ~ "/\\.\\./" file "$" }
                /^DA:/ && own { hits[$2] += $3 }
                END {
                    for (i in hits) { total++; reached += hits[i] > 0 }
                    printf "%-30s %-24s %6d %5.1f%%\n", file, names, total, 100 * reached / total
                    for (n = 0; lines != "" && (getline text < file) > 0;)
                        if (++n in hits && !hits[n]) printf "    %4d %s\n", n, text
                }'
    done
done
