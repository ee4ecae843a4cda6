#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# redis.sh: private servers for the demo and the tests.
#
#   redis.sh find                 prints the path of the system's redis-server
#   redis.sh start DIR [OPTION]...  starts it in DIR (made where missing), reachable by DIR/socket only; waits until it
#                                   has loaded its data; DIR/server.pid and DIR/server.log are its own
#   redis.sh stop DIR             ends the server of DIR without a save and waits for it (no server: fine)
#
# $REDIS_SERVER names another server program; $REDIS_CLI another client.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)

# Debian's package redis-server is a symbolic link to a program of redis-tools (its name decides what it does) and a
# system service. Where only redis-tools is installed, the link is made below build/.
find_server() {
    if [ -n "${REDIS_SERVER:-}" ]; then
        echo "$REDIS_SERVER"
    elif command -v redis-server; then
        :
    elif [ -x /usr/bin/redis-check-rdb ]; then
        mkdir -p "$top/build/servers/system"
        ln -sf /usr/bin/redis-check-rdb "$top/build/servers/system/redis-server"
        echo "$top/build/servers/system/redis-server"
    else
        echo "redis.sh: no redis-server here; run: sh tests/install-packages.sh demo" >&2
        return 1
    fi
}

# alive PID: is it there, and more than a process that nobody has waited for?
alive() {
    kill -0 "$1" 2> /dev/null && ! grep -q '^State:.Z' "/proc/$1/status" 2> /dev/null
}

# loaded DIR: does the server answer, and has it read its data?
loaded() {
    "${REDIS_CLI:-redis-cli}" -s "$1/socket" ping 2> /dev/null | grep -q '^PONG$'
}

start() {
    dir=$1
    shift
    server=$(find_server)
    mkdir -p "$dir"
    # A socket path has room for 107 bytes.
    [ ${#dir} -le 90 ] || {
        echo "redis.sh: the folder name $dir is too long for a socket in it" >&2
        return 1
    }
    "$server" --port 0 --unixsocket "$dir/socket" --dir "$dir" --save '' --enable-debug-command local "$@" \
        > "$dir/server.log" 2>&1 < /dev/null &
    pid=$!
    echo "$pid" > "$dir/server.pid"
    tries=0
    until loaded "$dir"; do
        tries=$((tries + 1))
        if [ "$tries" -gt 600 ] || ! alive "$pid"; then
            tail -n 5 "$dir/server.log" >&2
            echo "redis.sh: the server in $dir did not start" >&2
            return 1
        fi
        sleep 0.1
    done
}

stop() {
    [ -s "$1/server.pid" ] || return 0
    pid=$(cat "$1/server.pid")
    "${REDIS_CLI:-redis-cli}" -s "$1/socket" shutdown nosave > /dev/null 2>&1 || kill "$pid" 2> /dev/null || true
    tries=0
    while alive "$pid"; do
        tries=$((tries + 1))
        [ "$tries" -le 100 ] || kill -9 "$pid" 2> /dev/null || true
        sleep 0.1
    done
    rm -f "$1/server.pid"
}

case ${1:-} in
find) find_server ;;
start)
    : "${2:?usage: redis.sh start DIR [OPTION]...}"
    shift
    start "$@"
    ;;
stop) stop "${2:?usage: redis.sh stop DIR}" ;;
*)
    sed -n '3,9s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
