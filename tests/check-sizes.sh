#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check-sizes.sh: fails on a function of more than 80 lines (C) and on a file of more than 800 (C, Python, shell): what
# docs/STYLE.md allows. The form of the sources (clang-format) puts a function's braces into the first column.
set -eu
cd "$(dirname "$0")/.."
find base storage snapshot agent tests .ci -type f \( -name '*.[ch]' -o -name '*.py' -o -name '*.sh' -o -name run \) |
    sort | xargs awk -v functions=80 -v files=800 '
    function end_of_file() {
        if (lines > files) {
            printf "%s: %d lines, more than %d\n", name, lines, files
            bad = 1
        }
    }
    FNR == 1 { end_of_file(); name = FILENAME; opened = 0 }
    { lines = FNR }
    FILENAME !~ /\.[ch]$/ { next }
    /^\{/ { opened = FNR }
    /^\}$/ && opened {
        length_now = FNR - opened - 1
        if (length_now > longest) longest = length_now
        if (length_now > functions) {
            printf "%s:%d: a function of %d lines, more than %d\n", FILENAME, opened, length_now, functions
            bad = 1
        }
        opened = 0
    }
    END {
        end_of_file()
        if (!bad) printf "sizes: no function over %d lines (longest %d), no file over %d\n", functions, longest, files
        exit bad
    }'
