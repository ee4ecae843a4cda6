#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# newer-servers.sh: the Redis and Valkey of other Debian releases that this system does not have itself, for the tests.
#
# Nothing is installed and the system's apt state is not touched: the packages are fetched from the Debian mirror that
# apt uses here, checked by apt as always, and unpacked below build/servers/SUITE/. The programs in
# build/servers/SUITE/bin/ run with the C library of their own suite. What is there already is kept.
#
# Debian 13 (trixie): Redis 8 and Valkey 8. Debian 12 (bookworm), where that is not this system: Redis 7. Debian unstable
# (sid): Valkey 9, whose hashes have fields that expire. Debian 11 (bullseye), which mirrors will drop one day: Redis 6.0,
# with its one append-only file. The last two may fail to come, and are last for that reason; no test insists on them.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
servers=$top/build/servers
work=
trap '[ -z "$work" ] || rm -rf "$work"' EXIT

# The mirror of this system's apt, or Debian's own.
# shellcheck disable=SC2016 # $(SITE) is apt's
mirror=$(apt-get indextargets --format '$(SITE)' 'Identifier: Packages' 2> /dev/null | grep -E '/debian/?$' | head -n 1)
mirror=${mirror:-http://deb.debian.org/debian}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# apt with all its state in $work: it believes that no package is installed, and so names all that is needed.
private_apt() {
    apt-get -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts="$work/none" \
        -o Dir::Etc::preferencesparts="$work/none" -o Dir::Etc::preferences="$work/none" \
        -o Dir::State="$work/state" -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" \
        -o Dir::Log="$work/log" -o APT::Sandbox::User="$(id -un)" -o APT::Install-Recommends=false \
        -o Acquire::Retries=2 -o Acquire::Languages=none "$@"
}

# wrapper NAME PROGRAM: bin/NAME runs PROGRAM (below $home/root) by the name NAME with its own C library.
wrapper() {
    real=$(find "$home/root" -type f -name "$2" | head -n 1)
    [ -n "$real" ] || return 0
    loader=$(find "$home/root" -name 'ld-linux*.so.*' | head -n 1)
    libraries=$(find "$home/root" -path '*/lib/*-linux-gnu*' -name 'lib*.so*' -printf '%h\n' | sort -u | tr '\n' ':')
    cp -f "$real" "$home/root/$1"
    printf '#!/bin/sh\nexec "%s" --library-path "%s" "%s" "$@"\n' "$loader" "$libraries" "$home/root/$1" \
        > "$home/bin/$1"
    chmod +x "$home/bin/$1"
}

# unpack SUITE PACKAGE...
unpack() {
    suite=$1
    home=$servers/$suite
    shift
    [ "$(cat "$home/whole" 2> /dev/null)" != "$home" ] || return 0 # the wrappers know where they are
    rm -rf "$home"
    mkdir -p "$home/bin" "$home/root"
    work=$(mktemp -d)
    mkdir -p "$work/none" "$work/state/lists/partial" "$work/cache/archives/partial" "$work/log"
    : > "$work/status"
    echo "deb [signed-by=$keyring] $mirror $suite main" > "$work/sources.list"
    private_apt update
    private_apt install --download-only "$@"
    for package in "$work"/cache/archives/*.deb; do
        dpkg-deb -x "$package" "$home/root"
    done
    # A server and its checking tool are one program: the name decides.
    for kind in redis valkey; do
        wrapper "$kind-server" "$kind-check-rdb"
        wrapper "$kind-cli" "$kind-cli"
        [ ! -e "$home/bin/$kind-server" ] || "$home/bin/$kind-server" --version
    done
    rm -rf "$work"
    work=
    echo "$home" > "$home/whole"
}

# shellcheck disable=SC1091 # a file of the system
[ "$(. /etc/os-release && echo "${VERSION_CODENAME:-}")" = bookworm ] || unpack bookworm redis-tools
unpack trixie redis-tools valkey-tools
unpack sid valkey-tools
unpack bullseye redis-tools
