/* SPDX-License-Identifier: Apache-2.0 */
/* orders.h: what an agent is to do, read from its options and checked whole before anything begins. */
#ifndef AGENT_SIDECAR_ORDERS_H
#define AGENT_SIDECAR_ORDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/config.h"
#include "agent/sidecar/schedule.h"
#include "agent/sidecar/work.h"
#include "base/err.h"

struct orders {
    struct {
        const char *text; /* as it was given; NULL: no schedule */
        struct schedule schedule;
        int64_t offset_ms;
    } works[WORK_KINDS];
    int64_t expect_every_ms; /* the longest distance between two backups; 0: not known */
    bool has_server;         /* there is one to ask; else the dump is a file that somebody else writes */
    const char *only_role;   /* "master", "replica"; NULL: --run-on is not by role */
    bool other_pod;          /* --run-on names the ordinal of another pod */
};

/* Also sets the time zone of the process, so it must run before threads. ERR_USAGE. */
int orders_from(const struct config *config, struct orders *o, struct err *err) MUST_CHECK;

#endif
