#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# rgw.sh start DIR | stop DIR | restart-gateway DIR | run COMMAND...: a real S3 server for the tests: Ceph's RADOS
# Gateway with one monitor and one OSD that keeps its data in memory, on free ports of 127.0.0.1, by http and by https
# with a certificate authority of its own.
#
#   start    leaves DIR/env: the S3_TEST_* variables that the tests read (tests/conformance/s3_place.h)
#   restart-gateway   kill -9 the gateway and start it again; what is stored stays
#   run      start in a new folder, run the command with those variables, stop; the status is the command's
#
# $RGW_CLOCK names a file with an offset such as "+25h", which the gateway's clock follows (libfaketime's): so a day
# passes for what is stored. Only the gateway's; its S3 clients have to cope with the difference.
#
# Every process is ended by the id that was noted when it was started. Needs the packages of the group rgw.
set -eu
cd "$(dirname "$0")/../.."
. tests/servers/processes.sh

fail() {
    echo "rgw.sh: $*" >&2
    exit 1
}

# Three different free ports of 127.0.0.1.
free_ports() {
    python3 -c '
import socket
s = [socket.socket() for _ in range(3)]
for x in s: x.bind(("127.0.0.1", 0))
print(*[x.getsockname()[1] for x in s])'
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
    tries=$(($1 * 5))
    shift
    while [ "$tries" -gt 0 ]; do
        if timeout 5 "$@" > /dev/null 2>&1; then
            return 0
        fi
        tries=$((tries - 1))
        sleep 0.2
    done
    return 1
}

write_config() {
    # multi obj del max aio: 16.2's removals of several objects at once now and then crash it (ceph/ceph#49327).
    # tcp_nodelay: without it every small answer with a body comes 40 ms late, since it is sent in two parts.
    # No quota threads: with them 16.2.15 now and then ends by SIGSEGV when it is started with buckets there already.
    # "v2:" and the client mode: without them the gateway waits for ever for a monitor without authentication (16.2).
    cat > "$dir/ceph.conf" << C
[global]
fsid = $fsid
mon initial members = a
mon host = v2:127.0.0.1:$mon_port
auth cluster required = none
auth service required = none
auth client required = none
auth supported = none
ms mon client mode = crc
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
public addr = 127.0.0.1
run dir = $dir/run
crash dir = $dir/run
log file = $dir/log/\$name.log
admin socket = $dir/run/\$name.asok
log to syslog = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail warn = 2
mon data avail crit = 1
[mon]
mon data = $dir/mon
[osd]
osd data = $dir/osd
osd objectstore = memstore
memstore device bytes = 4294967296
osd op num shards = 2
osd op num threads per shard = 1
[client.rgw.a]
rgw data = $dir/rgw
rgw frontends = beast tcp_nodelay=1 endpoint=127.0.0.1:$http_port ssl_endpoint=127.0.0.1:$https_port ssl_certificate=$dir/tls/server.pem ssl_private_key=$dir/tls/server.pem
rgw dns name = s3.localhost
rgw thread pool size = 32
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = remora-key=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=
rgw enable quota threads = false
rgw override bucket index max shards = 1
rgw multi obj del max aio = 1
C
}

# A certificate authority for this run, and a certificate by it for the names that the tests use.
make_certificates() {
    (
        cd "$dir/tls"
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=remora test CA" -keyout ca.key -out ca.pem
        openssl req -newkey rsa:2048 -nodes -subj "/CN=s3.localhost" -keyout server.key -out server.csr
        printf 'subjectAltName=DNS:s3.localhost,DNS:*.s3.localhost,DNS:localhost,IP:127.0.0.1\n' > san
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out server.crt
        cat server.crt server.key > server.pem
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=another CA" -keyout other.key -out other-ca.pem
    ) > "$dir/log/openssl" 2>&1 || fail "openssl could not make the certificates: $(tail -n 2 "$dir/log/openssl")"
}

# spawn NAME COMMAND...: in the background, its id noted in DIR/NAME.pid.
spawn() {
    name=$1
    shift
    setsid "$@" > "$dir/log/$name.out" 2>&1 < /dev/null &
    echo $! > "$dir/$name.pid"
}

start_gateway() {
    set -- radosgw --conf "$dir/ceph.conf" -n client.rgw.a -f
    if [ -n "${RGW_CLOCK:-}" ]; then
        preload=$(find /usr/lib -name libfaketimeMT.so.1 | head -n 1)
        [ -n "$preload" ] || fail 'there is no libfaketime; install it with: sh tests/install-packages.sh rgw'
        set -- env LD_PRELOAD="$preload" FAKETIME_TIMESTAMP_FILE="$RGW_CLOCK" FAKETIME_DONT_FAKE_MONOTONIC=1 \
            FAKETIME_CACHE_DURATION=1 "$@"
    fi
    spawn rgw "$@"
    wait_for 120 curl -s -o /dev/null "http://127.0.0.1:$http_port/" ||
        fail "the gateway did not answer within 120 s: $(tail -n 3 "$dir/log/rgw.out")"
}

start() {
    for program in radosgw ceph-mon ceph-osd ceph monmaptool openssl curl python3; do
        command -v $program > /dev/null || fail "there is no $program; install it with: sh tests/install-packages.sh rgw"
    done
    mkdir -p "$1"
    dir=$(cd "$1" && pwd)
    [ -z "$(ls -A "$dir")" ] || fail "$dir is not empty"
    mkdir "$dir/run" "$dir/log" "$dir/mon" "$dir/osd" "$dir/rgw" "$dir/tls"
    fsid=$(cat /proc/sys/kernel/random/uuid)
    ports=$(free_ports)
    mon_port=${ports%% *} https_port=${ports##* }
    http_port=${ports#* } http_port=${http_port% *}
    write_config
    make_certificates
    conf="--conf $dir/ceph.conf"
    # shellcheck disable=SC2086 # two words
    {
        monmaptool --create --add a "127.0.0.1:$mon_port" --fsid "$fsid" "$dir/monmap" > "$dir/log/setup" 2>&1
        ceph-mon $conf --mkfs -i a --monmap "$dir/monmap" >> "$dir/log/setup" 2>&1
        spawn mon ceph-mon $conf -i a --public-addr "127.0.0.1:$mon_port" -f
        wait_for 60 ceph $conf -s || fail "the monitor did not start: $(tail -n 3 "$dir/log/mon.out")"
        osd=$(cat /proc/sys/kernel/random/uuid)
        ceph $conf osd new "$osd" >> "$dir/log/setup" 2>&1
        ceph-osd $conf -i 0 --mkfs --osd-uuid "$osd" >> "$dir/log/setup" 2>&1
        spawn osd ceph-osd $conf -i 0 -f
        wait_for 60 sh -c "ceph $conf osd stat | grep -q '1 up'" || fail "the OSD did not start"
        start_gateway
        radosgw-admin $conf user create --uid=test --display-name=test --access-key=REMORATESTACCESSKEY0 \
            --secret-key=remora/test+secret/key/of/forty/bytes/00 > "$dir/log/user" 2>&1 ||
            fail "the user could not be made: $(tail -n 3 "$dir/log/user")"
    }
    cat > "$dir/env" << E
S3_TEST_DIR=$dir
S3_TEST_HTTP=http://127.0.0.1:$http_port
S3_TEST_HTTPS=https://127.0.0.1:$https_port
S3_TEST_VHOST=http://s3.localhost:$http_port
S3_TEST_VHOSTS=https://s3.localhost:$https_port
S3_TEST_CA=$dir/tls/ca.pem
S3_TEST_OTHER_CA=$dir/tls/other-ca.pem
S3_TEST_ACCESS_KEY=REMORATESTACCESSKEY0
S3_TEST_SECRET_KEY=remora/test+secret/key/of/forty/bytes/00
E
    echo "s3 server: RADOS Gateway on port $http_port (http) and $https_port (https)"
}

stop() {
    [ -d "$1" ] || return 0
    dir=$(cd "$1" && pwd)
    for name in rgw osd mon; do
        end_process "$name"
    done
    rm -rf "$dir"
}

restart_gateway() {
    dir=$(cd "$1" && pwd)
    http_port=$(sed -n 's/^S3_TEST_HTTP=.*://p' "$dir/env")
    end_process rgw
    start_gateway
}

run() {
    parent=$(mktemp -d)
    trap 'stop "$parent/rgw"; rm -rf "$parent"' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    start "$parent/rgw"
    set -a
    # shellcheck disable=SC1091 # made above
    . "$parent/rgw/env"
    set +a
    "$@"
}

case ${1:-} in
start) start "$2" ;;
stop) stop "$2" ;;
restart-gateway) restart_gateway "$2" ;;
run)
    shift
    run "$@"
    ;;
*)
    echo "usage: rgw.sh start DIR | stop DIR | restart-gateway DIR | run COMMAND..." >&2
    exit 2
    ;;
esac
