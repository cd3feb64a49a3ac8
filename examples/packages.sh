# Shared by examples/quickstart.sh and tests/run.sh: the packages of Debian 12 and 13 that
# libscarlet is built with, and how they are installed and used. To be sourced from the top folder.

libraries="libxnnpack-dev libpthreadpool-dev libpng-dev libjpeg-dev libarchive-dev zlib1g-dev"
build_packages="gcc libc6-dev dpkg-dev meson ninja-build pkg-config $libraries"

say() {
    echo "== $*"
}

fail() {
    echo "$0: $*" >&2
    exit 1
}

began=$(date +%s)
exec 3>&2 # the user, also where the output of a command goes to a file

# alive DOING COMMAND...: runs it; says each minute that it still runs, and for how long the script has.
alive() {
    doing=$1
    shift
    (
        while sleep 60 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
            echo "   still $doing, minute $((($(date +%s) - began) / 60))" >&3
        done
    ) &
    clock=$! result=0
    "$@" || result=$?
    kill $clock 2>/dev/null || true
    wait $clock 2>/dev/null || true
    return $result
}

# install_packages NAME...: those that are not installed yet.
install_packages() {
    missing=
    for name; do
        case $(dpkg-query -W -f '${Status}' "$name" 2>/dev/null || true) in
        *" installed") ;;
        *) missing="$missing $name" ;;
        esac
    done
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null || fail "no apt-get here; install these by hand:$missing"
    [ "$(id -u)" = 0 ] || fail "not root, so cannot install; run: sudo apt-get install$missing"
    say "Installing:$missing"
    export DEBIAN_FRONTEND=noninteractive
    alive "reading the lists of packages" apt-get update -qq || fail "apt-get update failed: is there a network?"
    alive "installing packages" apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
        fail "apt-get install failed for:$missing"
}

# build FOLDER [MESON OPTION]...: silent if there is nothing to do.
build() {
    folder=$1
    shift
    [ -w . ] || [ -w "$folder" ] ||
        fail "no permission to write to $PWD: copy the tree to a folder of yours and start there"
    if [ ! -f "$folder/options" ] || [ "$(cat "$folder/options")" != "$*" ]; then
        say "Configuring $folder"
        if [ -f "$folder/build.ninja" ]; then
            meson configure "$folder" "$@" >/dev/null
        else
            meson setup "$folder" "$@" >"$folder.log" 2>&1 || { cat "$folder.log" >&2; exit 1; }
            rm -f "$folder.log"
        fi
        echo "$*" >"$folder/options"
    fi
    case $(ninja -C "$folder" -n 2>/dev/null) in
    *"no work to do"*) return 0 ;;
    esac
    say "Building $folder"
    alive "building $folder" ninja -C "$folder" --quiet || fail "the build failed"
}
