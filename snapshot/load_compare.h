/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_compare.h: does a server that has loaded a dump hold what the manifest says? Pure: no I/O.
 *
 * A server drops on loading the keys whose time is over, and goes on dropping them while it runs. So in each database
 * the keys without a time to live must be all there, as many keys may be missing as keys with one are, and, where the
 * server counts what it dropped (since 7.0), the sum must be what is missing. A hash whose fields all had times of
 * their own (Redis since 7.4, Valkey since 9.0) can vanish as well: the server counts the fields, so no more hashes may
 * be missing than that.
 */
#ifndef SNAPSHOT_LOAD_COMPARE_H
#define SNAPSHOT_LOAD_COMPARE_H

#include <stdint.h>

#include "base/err.h"
#include "snapshot/rdb/rdb_info.h"

struct load_seen {
    const char *info;   /* INFO's whole text: one moment's figures */
    uint64_t functions; /* libraries */
    uint64_t skipped;   /* empty keys that the server said it left out: dumps of old servers have some */
};

/* 0, and *EXPIRED keys are missing that have run out since the backup. ERR_CORRUPT says what differs. */
int load_compare(const struct rdb_info *said, const struct load_seen *seen, uint64_t *expired,
                 struct err *err) MUST_CHECK;

/* How many empty keys a server said in LOG that it left out while loading. */
uint64_t load_skipped_keys(const char *log);

#endif
