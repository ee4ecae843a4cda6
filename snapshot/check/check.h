/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.h: what a preflight found, as rows: each says what was looked at, whether it is well, what was seen, and what
 * to do about it. It knows nothing of what is checked; the files beside it do. A probe never ends the preflight: it
 * adds its rows and returns.
 *
 * Texts may hold what a server or a store said: control characters are shown as '?'.
 */
#ifndef SNAPSHOT_CHECK_CHECK_H
#define SNAPSHOT_CHECK_CHECK_H

#include <stddef.h>

#include "base/err.h"

enum check_verdict {
    CHECK_OK,   /* nothing to do */
    CHECK_WARN, /* works, but look at it */
    CHECK_FAIL, /* a backup or restore would fail, or do harm */
};

struct check_row {
    const char *area; /* "repository", "server", "disk", "target" */
    const char *name; /* a stable word for what was looked at; both are literals */
    enum check_verdict verdict;
    enum err_code code; /* of CHECK_FAIL: what a run would end with */
    char *finding;
    char *remedy; /* "" with CHECK_OK */
};

struct check {
    const char *area; /* of the rows that are added now */
    struct check_row *rows;
    size_t count;
};

/* "ok", "warn", "fail". */
const char *check_verdict_name(enum check_verdict verdict);

/* Add a row to the present area; NAME and c->area must last. */
void check_ok(struct check *c, const char *name, const char *finding, ...) PRINTF_LIKE(3, 4);
void check_warn(struct check *c, const char *name, const char *remedy, const char *finding, ...) PRINTF_LIKE(4, 5);
void check_fail(struct check *c, const char *name, enum err_code code, const char *remedy, const char *finding, ...)
    PRINTF_LIKE(5, 6);
/* A failure as a row: its sentence is the finding. */
void check_failed(struct check *c, const char *name, const struct err *failure, const char *remedy);

/* The gravest failure, NULL when there is none. What damages or endangers data comes first, then what no retry cures,
 * then what one may cure. */
const struct check_row *check_gravest(const struct check *c);

/* Fine on a zeroed struct. */
void check_fini(struct check *c);

#endif
