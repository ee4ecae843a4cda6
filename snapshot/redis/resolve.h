/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.h: every address of a host's name, and those of this machine, as numbers in text.
 *
 * The C library's look-up knows no deadline and does not end for a signal, so it runs in a thread of its own, which is
 * left behind when it takes too long. IPv4 and IPv6 are asked for one by one: asked for together, the C library keeps
 * silent about the one that failed. One thread per struct.
 */
#ifndef SNAPSHOT_REDIS_RESOLVE_H
#define SNAPSHOT_REDIS_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ADDRESS_TEXT_MAX 64 /* an IPv6 address, '%' and the name of an interface */

/* Starts as zeros. */
struct addresses {
    char (*items)[ADDRESS_TEXT_MAX];
    size_t count;
};

/* Append a copy of TEXT, cut to its room, unless it is there already. */
void addresses_add(struct addresses *a, const char *text);
bool addresses_have(const struct addresses *a, const char *text);
/* Free; the list is empty again and can be used on. */
void addresses_fini(struct addresses *a);

/* Append HOST's addresses of FAMILY (AF_INET, AF_INET6). 0, or what getaddrinfo() returns. Runs in a thread of its
 * own. */
typedef int resolve_fn(const char *host, int family, struct addresses *out);

/* How to resolve; zeros are the defaults. */
struct resolve_options {
    resolve_fn *look_up; /* getaddrinfo() */
    int64_t retry_ms;    /* for how long a look-up that fails is tried again; 5 s */
    int64_t hang_ms;     /* for how long one is waited for in all; 30 s: six time-outs of a name server */
};

/* All addresses of HOST, IPv4 first; none, and 0, when there is no such name. ERR_SERVER when the name service fails or
 * does not answer, be it for one of the two families only; ERR_INTERRUPTED. OUT is empty after a failure. */
int resolve_host(const char *host, const struct resolve_options *options, struct addresses *out,
                 struct err *err) MUST_CHECK;

/* Append the addresses of this machine's interfaces that are up (in a pod: the pod's), loopback excepted.
 * ERR_INTERNAL. */
int resolve_own(struct addresses *out, struct err *err) MUST_CHECK;

#endif
