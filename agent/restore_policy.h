/* SPDX-License-Identifier: Apache-2.0 */
/* restore_policy.h: what a restore in front of a server does where it cannot, or need not, restore. */
#ifndef AGENT_RESTORE_POLICY_H
#define AGENT_RESTORE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/config.h"
#include "base/err.h"

enum restore_unreachable { UNREACHABLE_FAIL, UNREACHABLE_WAIT, UNREACHABLE_START_EMPTY };

struct restore_policy {
    enum restore_unreachable unreachable;
    int64_t wait_ms;   /* of UNREACHABLE_WAIT */
    bool other_pod;    /* --only-ordinal names another pod than this one */
    uint64_t pod;      /* this one, where --only-ordinal was given */
    uint64_t only_pod; /* the one that is restored */
};

/* Read --if-unreachable, --only-ordinal and --pod-index. ERR_USAGE; also where this pod's number cannot be told. */
int restore_policy_from(const struct config *config, struct restore_policy *policy, struct err *err) MUST_CHECK;

/* The number behind the last dash of a pod's host name, as in "redis-2"; false where there is none. */
bool restore_policy_ordinal(const char *host_name, uint64_t *ordinal);

/* The number of this pod, by --pod-index, else by the host name. ERR_USAGE, naming the OPTION that needs it. */
int restore_policy_pod(const struct config *config, const char *option, uint64_t *pod, struct err *err) MUST_CHECK;

#endif
