# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# processes.sh: read in by rgw.sh and swift.sh, whose servers leave their ids in $dir/NAME.pid.

# end_process NAME: kill it and wait until it is gone. Its data is in memory and thrown away: nothing is gained by an
# orderly end.
end_process() {
    # shellcheck disable=SC2154 # $dir is the caller's
    [ -f "$dir/$1.pid" ] || return 0
    pid=$(cat "$dir/$1.pid")
    rm -f "$dir/$1.pid"
    kill -KILL "$pid" 2> /dev/null || return 0
    for _ in $(seq 50); do
        kill -0 "$pid" 2> /dev/null || return 0
        grep -q '^State:.Z' "/proc/$pid/status" 2> /dev/null && return 0
        sleep 0.1
    done
}
