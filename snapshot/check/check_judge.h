/* SPDX-License-Identifier: Apache-2.0 */
/* check_judge.h: what a server's own words mean for backups: INFO and settings in, rows out. Pure: no I/O. */
#ifndef SNAPSHOT_CHECK_CHECK_JUDGE_H
#define SNAPSHOT_CHECK_CHECK_JUDGE_H

#include <stdbool.h>

#include "snapshot/check/check.h"
#include "snapshot/guard.h"
#include "snapshot/redis/server_facts.h"

/* What is known of a server. */
struct check_facts {
    const char *info; /* INFO's text */
    struct server_config config;
    char rdbchecksum[8];                       /* settings that no manifest holds; "" where not known */
    char stop_writes[8];                       /* stop-writes-on-bgsave-error */
    const struct guard_memory_options *memory; /* NULL: the machine's memory is the limit */
    bool by_psync;                             /* backups come over the wire */
};

/* A row each, as far as the words go: version, role, cluster, activity, last-save, save-points, appendonly,
 * rdbcompression, rdbchecksum, memory. What the server did not tell has no row. */
void check_judge_server(struct check *c, const struct check_facts *f);

/* The row about vm.overcommit_memory, as the kernel's file has it. */
void check_judge_overcommit(struct check *c, const char *text);

/* The row about the version of a dump that begins with HEAD (9 bytes of magic). */
void check_judge_dump_version(struct check *c, const char *head);

#endif
