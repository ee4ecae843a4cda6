/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_read.c FOLDER INSTANCE [DELAY_MS]: seconds and MB/s of reading the latest backup of a file repository, proofs
 * included, with 1 to 8 workers, when every request takes DELAY_MS (20) longer: what a store across a network costs,
 * and what several requests at once win back. The delay is all that is added: no connection has a speed limit of its
 * own.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "snapshot/member_reader.h"
#include "snapshot/repo/catalog.h"
#include "storage/store_fault.h"
#include "storage/store_file.h"

#define RUNS 3

/* The quickest of RUNS readings with JOBS workers, in ms; -1. */
static int64_t
measure(const struct repo *repo, const struct manifest *m, unsigned jobs, struct err *err)
{
    const struct read_options options = {.jobs = jobs, .memory = (uint64_t)512 << 20};
    const struct member_read read = {
        .repo = repo,
        .m = m,
        .member = &m->rdb_member,
        .options = &options,
        .phase = PROGRESS_VERIFYING,
    };
    int64_t best = INT64_MAX;

    for (int run = 0; run < RUNS; run++) {
        int64_t start = clock_mono_ms();
        int64_t took = 0;

        if (member_read(&read, err) < 0)
            return -1;
        took = clock_mono_ms() - start;
        if (took < best)
            best = took;
    }
    return best > 0 ? best : 1;
}

static int
measure_all(struct store *store, const char *instance, int64_t delay_ms, struct err *err)
{
    static const unsigned jobs[] = {1, 2, 4, 8};
    struct manifest *m = NULL;
    struct repo repo;
    int rc = -1;

    if (repo_open(store, &repo, err) < 0 || catalog_find(&repo, instance, "latest", NULL, NULL, &m, err) < 0)
        return -1;
    store_fault_add(store,
                    &(struct store_fault){.call = STORE_CALL_GET, .what = STORE_FAULT_DELAY, .delay_ms = delay_ms});
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        int64_t ms = measure(&repo, m, jobs[i], err);

        if (ms < 0)
            goto out;
        printf("  %lld ms a request, %u worker%s %6.2f s  %5.0f MB/s\n", (long long)delay_ms, jobs[i],
               jobs[i] == 1 ? ": " : "s:", (double)ms / 1e3, (double)m->rdb_member.raw_size / 1e3 / (double)ms);
    }
    rc = 0;
out:
    manifest_free(m);
    return rc;
}

int
main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    struct store *files, *store = NULL;
    int rc = -1;

    if (argc != 3 && argc != 4) {
        fputs("usage: bench_read FOLDER INSTANCE [DELAY_MS]\n", stderr);
        return 2;
    }
    files = store_file_open(argv[1], STORE_FILE_READ_ONLY, &err);
    if (files != NULL) {
        store = store_fault_new(files);
        rc = measure_all(store, argv[2], argc == 4 ? strtol(argv[3], NULL, 10) : 20, &err);
    }
    store_free(store);
    if (rc < 0)
        fprintf(stderr, "bench_read: %s\n", err.msg);
    return rc < 0 ? 1 : 0;
}
