#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# demo.sh (make demo): the whole way once, in front of your eyes. Installs what is missing, builds, and then works in a
# temporary folder only: a private redis-server with 100 MB and more of mixed data is backed up, its data destroyed,
# restored, and compared. Everything is cleaned up, also after a failure. About half a minute.
set -eu
cd "$(dirname "$0")/.."

# --- words ----------------------------------------------------------------------------------------------------------
if [ -t 1 ]; then bold=$(printf '\033[1m') green=$(printf '\033[32m') plain=$(printf '\033[0m'); else bold='' green='' plain=''; fi
number=0
step() {
    number=$((number + 1))
    printf '\n%s%d. %s%s\n' "$bold" "$number" "$*" "$plain"
}
# A command as one would type it, then what it prints.
run() {
    printf '   $ %s\n' "$*"
    "$@"
}
fail() {
    echo "demo: $*" >&2
    exit 1
}

# --- a place to work in ---------------------------------------------------------------------------------------------
work=
finish() {
    status=$?
    trap - EXIT INT TERM HUP
    if [ -n "$work" ]; then
        sh tests/servers/redis.sh stop "$work/data" || true
        rm -rf "$work"
    fi
    exit "$status"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

started=$(date +%s)
step 'Build'
sh tests/install-packages.sh build demo
mkdir -p build
echo '   $ make'
make --no-print-directory -j "$(nproc)" all > build/demo.log 2>&1 || {
    cat build/demo.log >&2
    fail 'the build failed'
}
remora() {
    build/remora "$@"
}
remora version | head -n 1

work=$(mktemp -d "${TMPDIR:-/tmp}/remora-demo.XXXXXX")
[ "$(df -Pk "$work" | awk 'NR == 2 {print $4}')" -ge 700000 ] ||
    fail "$work has less than 700 MB free; name another folder with TMPDIR"
data=$work/data
redis() {
    redis-cli -s "$data/socket" "$@"
}
# What the server holds: the digest over all databases, and the number of keys.
fingerprint() {
    redis debug digest
}
count_keys() {
    redis info keyspace | sed -n 's/^db[0-9]*:keys=\([0-9]*\),.*/\1/p' | awk '{n += $1} END {print n}'
}

step 'A private Redis with mixed data: strings, lists, sets, hashes, sorted sets, streams, functions, expiries'
sh tests/servers/redis.sh start "$data"
redis --eval tests/integration/mixed.lua , 160 2026 > "$work/log" || fail "loading: $(cat "$work/log")"
redis -x function load < tests/integration/functions.lua > /dev/null
digest_before=$(fingerprint)
keys_before=$(count_keys)
echo "   $keys_before keys in databases 0, 1, 5 and 15; $(redis info memory | sed -n 's/^used_memory_human:\([^ ]*\)[[:cntrl:]]*/\1/p') in memory"
echo "   DEBUG DIGEST $digest_before"

step 'Back it up: BGSAVE, and the dump read from its volume'
REMORA_REPO=file://$work/repository
REMORA_INSTANCE=shop-cache
export REMORA_REPO REMORA_INSTANCE
echo "   \$ export REMORA_REPO=$REMORA_REPO REMORA_INSTANCE=$REMORA_INSTANCE"
progress=auto
[ ! -t 2 ] || progress=always
run remora init
printf '   $ remora backup --redis-url unix://%s --data-dir %s\n' "$data/socket" "$data"
id=$(remora backup --redis-url "unix://$data/socket" --data-dir "$data" --progress "$progress" --log-level warn)
echo "$id"
run remora list
run remora show latest

step 'No lock-in: the stored segments, through zstd alone, are the dump'
segments=$work/repository/instances/$REMORA_INSTANCE/data/$id/rdb
echo "   \$ cat .../data/$id/rdb/*.zst | zstd -dc | cmp - dump.rdb"
cat "$segments"/*.zst | zstd -dc | cmp - "$data/dump.rdb"
dump_bytes=$(wc -c < "$data/dump.rdb")
[ "$dump_bytes" -ge 100000000 ] || fail "the dump has only $dump_bytes bytes"
echo "   equal, all $dump_bytes bytes"

step 'The disaster: the server is gone and its volume is empty'
sh tests/servers/redis.sh stop "$data"
rm -rf "$data"
mkdir "$data"
echo "   $data holds $(find "$data" -mindepth 1 | wc -l) files"

step 'Restore, and start a server on it'
run remora restore --appendonly no --target "$data" --progress "$progress" --log-level warn
sh tests/servers/redis.sh start "$data"
digest_after=$(fingerprint)
keys_after=$(count_keys)

step 'The proof'
echo "   before  $digest_before  $keys_before keys"
echo "   after   $digest_after  $keys_after keys"
[ "$digest_before $keys_before" = "$digest_after $keys_after" ] || fail 'the restored data differs'
redis function list | grep -q price_with_tax || fail 'the function library is missing'
printf '   %sequal%s: every key, value and expiry came back. (%d s)\n' "$green" "$plain" $(($(date +%s) - started))
