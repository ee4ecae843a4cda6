#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make-dump.sh SERVER CLI OUT.rdb [SERVER-OPTION...]: starts SERVER (redis-server or valkey-server) on a socket of its own with the given
# options, fills it with a small dataset of every type that it knows, and has it SAVE to OUT.rdb. Commands that it does not know are
# skipped: the dataset then has less in it.
# shellcheck disable=SC2046 # unquoted $(...) below: many arguments are meant
set -eu
server=$1 cli=$2 out=$3
shift 3
dir=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || { kill "$pid"; wait "$pid" || true; }; rm -rf "$dir"' EXIT
"$server" --port 0 --unixsocket "$dir/socket" --dir "$dir" --save '' --appendonly no "$@" > "$dir/log" 2>&1 &
pid=$!
ask() { "$cli" -s "$dir/socket" "$@" 2>&1 || true; }
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ "$(ask ping)" = PONG ] && break
    sleep 0.5
done
words() { seq -s ' ' "$1" "$2"; } # unquoted below: many arguments

ask config set list-max-listpack-size -1 # nodes of 4 KiB: the large element below gets a node of its own
ask set string:short hello
ask set string:int8 -100
ask set string:int16 30000
ask set string:int32 -2000000000
ask set string:int64 9007199254740993
ask set string:compressible "$(printf 'abcabcabd%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20)"
ask set string:expiring soon px 99999999999
ask setbit string:bits 700 1
ask pfadd string:hll $(words 1 50)
ask rpush list:small a b 3 44 -555
ask rpush list:long $(words 1000 1400)
ask rpush list:plain-node "$(head -c 4200 /dev/zero | tr '\0' 'p')" x
ask sadd set:ints $(words 1 40)
ask sadd set:words alpha beta gamma
ask sadd set:large $(seq -f 'member-%g' 1 150)
ask zadd zset:small 1 one 2.5 two -inf low +inf high
ask zadd zset:large $(seq 1 150 | sed 's/.*/&.25 member-&/')
ask hset hash:small field value number 17
ask hset hash:large $(seq 1 150 | sed 's/.*/field-& value-&/')
ask xadd stream:plain 1-1 a 1 b 2
ask xadd stream:plain 2-1 a 3 b 4
ask xdel stream:plain 1-1
for i in 1 2 3 4 5 6; do ask xadd stream:groups "$i-0" n "$i"; done
ask xgroup create stream:groups g1 0
ask xgroup create stream:groups g2 3-0
ask xgroup createconsumer stream:groups g2 idle
ask xreadgroup group g1 alice count 3 streams stream:groups '>'
ask xreadgroup group g1 bob count 2 streams stream:groups '>'
ask xack stream:groups g1 1-0
# Hashes whose fields expire: Redis 7.4 and Valkey 9.
ask hset hash:ttl-small a 1 b 2 c 3
ask hpexpireat hash:ttl-small 4102444800000 fields 1 a
ask hset hash:ttl-large $(seq 1 150 | sed 's/.*/field-& value-&/')
ask hpexpireat hash:ttl-large 4102444800000 fields 2 field-1 field-2
ask function load "#!lua name=lib
redis.register_function('f', function() return 1 end)"
ask -n 9 set other-database 1
ask -n 9 set other-database:expiring 2 ex 999999999
# A replica that came and went: from then on dumps say where in the replication stream they stand.
ask config set repl-diskless-sync-delay 0
ask --rdb "$dir/for-a-replica.rdb"
for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ "$(ask save)" = OK ] && break # not while the child of the above is still there
    sleep 0.5
done
cp "$dir/dump.rdb" "$out"
