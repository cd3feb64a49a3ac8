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
    [ "$(id -u)" = 0 ] || fail "not root, so cannot install:$missing"
    command -v apt-get >/dev/null || fail "no apt-get here; install these by hand:$missing"
    say "Installing:$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq || fail "apt-get update failed: is there a network?"
    apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
        fail "apt-get install failed for:$missing"
}

# build FOLDER [MESON OPTION]...
build() {
    folder=$1
    shift
    if [ -f "$folder/build.ninja" ]; then
        say "Building in $folder"
        meson configure "$folder" "$@" >/dev/null
    else
        say "Configuring and building in $folder"
        meson setup "$folder" "$@" >"$folder.log" 2>&1 || { cat "$folder.log" >&2; exit 1; }
        rm -f "$folder.log"
    fi
    ninja -C "$folder" --quiet || fail "the build failed"
}
