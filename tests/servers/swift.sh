#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# swift.sh installed | start DIR | stop DIR | run COMMAND...: a second S3 server for the tests, of another make:
# OpenStack Swift with its s3api, one replica on free ports of 127.0.0.1, by http. It minds the region of a signature,
# and knows no put that must not overwrite (501).
#
#   installed   is it? Says nothing
#   start       leaves DIR/env: the S3_TEST_* variables that the tests read (tests/support/s3_place.h)
#   run         start in a new folder, run the command with those variables, stop; the status is the command's
#
# Every process is ended by the id that was noted when it was started. Needs the packages of the group swift.
set -eu
cd "$(dirname "$0")/../.."
. tests/servers/processes.sh

fail() {
    echo "swift.sh: $*" >&2
    exit 1
}

installed() {
    for program in swift-proxy-server swift-account-server swift-container-server swift-object-server \
        swift-ring-builder memcached; do
        command -v $program > /dev/null || return 1
    done
}

# Five different free ports of 127.0.0.1.
free_ports() {
    python3 -c '
import socket
s = [socket.socket() for _ in range(5)]
for x in s: x.bind(("127.0.0.1", 0))
print(*[x.getsockname()[1] for x in s])'
}

# defaults PORT: the part that the configurations of all servers begin with. No workers: one process each, whose id is
# the one that we know.
defaults() {
    cat << C
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $1
swift_dir = $dir/etc
workers = 0
user = $(id -un)
log_level = WARNING
log_address = $dir/log/none
C
}

# write_storage NAME PORT: one of account, container, object, and its ring.
write_storage() {
    {
        defaults "$2"
        cat << C
devices = $dir/srv
mount_check = false
disable_fallocate = true
[pipeline:main]
pipeline = $1-server
[app:$1-server]
use = egg:swift#$1
C
    } > "$dir/etc/$1-server.conf"
    {
        swift-ring-builder "$dir/etc/$1.builder" create 4 1 1
        swift-ring-builder "$dir/etc/$1.builder" add "r1z1-127.0.0.1:$2/d1" 1
        swift-ring-builder "$dir/etc/$1.builder" rebalance
    } > "$dir/log/$1.ring" 2>&1 || fail "no ring for $1: $(tail -n 3 "$dir/log/$1.ring")"
}

# filter NAME [LINE]...
filter() {
    printf '[filter:%s]\nuse = egg:swift#%s\n' "$1" "$(echo "$1" | tr - _)"
    shift
    [ $# -eq 0 ] || printf '%s\n' "$@"
}

write_proxy() {
    {
        defaults "$proxy_port"
        cat << C
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth copy slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
C
        for name in catch_errors gatekeeper healthcheck listing_formats bulk copy slo dlo; do
            filter $name
        done
        printf '[filter:cache]\nuse = egg:swift#memcache\nmemcache_servers = 127.0.0.1:%s\n' "$cache_port"
        filter s3api 'location = us-east-1' 'storage_domain = s3.localhost' 'allow_no_owner = true' 's3_acl = false'
        filter tempauth 'user_test_tester = testing .admin'
    } > "$dir/etc/proxy-server.conf"
}

# spawn NAME COMMAND...: in the background, its id noted in DIR/NAME.pid.
spawn() {
    name=$1
    shift
    setsid "$@" > "$dir/log/$name.out" 2>&1 < /dev/null &
    echo $! > "$dir/$name.pid"
}

start() {
    installed || fail "it is not installed; install it with: sh tests/install-packages.sh swift"
    mkdir -p "$1"
    dir=$(cd "$1" && pwd)
    [ -z "$(ls -A "$dir")" ] || fail "$dir is not empty"
    mkdir -p "$dir/etc" "$dir/log" "$dir/srv/d1"
    # shellcheck disable=SC2046 # five words
    set -- $(free_ports)
    proxy_port=$1 cache_port=$2
    printf '[swift-hash]\nswift_hash_path_suffix = tests\n[storage-policy:0]\nname = Policy-0\ndefault = yes\n' \
        > "$dir/etc/swift.conf"
    write_storage account "$3"
    write_storage container "$4"
    write_storage object "$5"
    write_proxy
    spawn memcached memcached -u "$(id -un)" -l 127.0.0.1 -p "$cache_port" -m 32
    for name in account container object proxy; do
        # By the system's Python, for which its modules were installed.
        spawn "$name" /usr/bin/python3 "$(command -v swift-$name-server)" "$dir/etc/$name-server.conf"
    done
    tries=0
    until curl -sf -o /dev/null "http://127.0.0.1:$proxy_port/healthcheck"; do
        tries=$((tries + 1))
        [ "$tries" -le 300 ] || fail "it did not answer within 60 s: $(tail -n 3 "$dir/log/proxy.out")"
        sleep 0.2
    done
    cat > "$dir/env" << E
S3_TEST_DIR=$dir
S3_TEST_HTTP=http://127.0.0.1:$proxy_port
S3_TEST_VHOST=
S3_TEST_HTTPS=
S3_TEST_VHOSTS=
S3_TEST_ACCESS_KEY=test:tester
S3_TEST_SECRET_KEY=testing
S3_TEST_NO_CREATE_ONLY=1
E
    echo "s3 server: Swift on port $proxy_port"
}

stop() {
    [ -d "$1" ] || return 0
    dir=$(cd "$1" && pwd)
    for name in proxy object container account memcached; do
        end_process "$name"
    done
    rm -rf "$dir"
}

run() {
    parent=$(mktemp -d)
    trap 'stop "$parent/swift"; rm -rf "$parent"' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    start "$parent/swift"
    set -a
    # shellcheck disable=SC1091 # made above
    . "$parent/swift/env"
    set +a
    "$@"
}

case ${1:-} in
installed) installed ;;
start) start "$2" ;;
stop) stop "$2" ;;
run)
    shift
    run "$@"
    ;;
*)
    echo "usage: swift.sh installed | start DIR | stop DIR | run COMMAND..." >&2
    exit 2
    ;;
esac
