#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# coverage.sh DIR: what share of the lines ran, from the .gcda files below DIR (a build with VARIANT=cov): a line a
# source file, then a line a folder and the total. Reads gcov's own summaries.
set -eu
dir=${1:?usage: coverage.sh DIR}
find "$dir" -name '*.gcda' ! -path '*/tests/*' -exec gcov -n -r {} + 2> /dev/null |
    awk '
    /^File / { gsub(/^File .|.$/, ""); file = $0; next }
    /^Lines executed:/ && file != "" {
        split($0, part, /[:% ]+/)
        lines[file] = part[5]; share[file] = part[3]; file = ""
    }
    END {
        for (file in lines) {
            if (file !~ /^(base|storage|snapshot|agent)\/.*\.c$/) continue
            printf "%6.1f%% %6d  %s\n", share[file], lines[file], file | "sort -k3"
            folder = file; sub(/\/.*/, "", folder)
            ran[folder] += lines[file] * share[file] / 100; all[folder] += lines[file]
            ran_total += lines[file] * share[file] / 100; total += lines[file]
        }
        close("sort -k3")
        for (folder in all) printf "%6.1f%% %6d  %s/\n", 100 * ran[folder] / all[folder], all[folder], folder
        printf "coverage: %.1f%% of %d lines\n", total ? 100 * ran_total / total : 0, total
    }'
