/* SPDX-License-Identifier: Apache-2.0 */
/* err.c: see err.h. The table below is the only place where codes, names and exit statuses meet. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int exit_status;
} codes[ERR_CODE_COUNT] = {
    [ERR_NONE] = {"none", 0},
    [ERR_INTERNAL] = {"internal", 1},
    [ERR_USAGE] = {"usage", 2},
    [ERR_NOT_FOUND] = {"not-found", 3},
    [ERR_REFUSED] = {"refused", 4},
    [ERR_EXISTS] = {"exists", 4},
    [ERR_CORRUPT] = {"corrupt", 5},
    [ERR_STORAGE] = {"storage", 6},
    [ERR_STORE_DENIED] = {"storage-denied", 7},
    [ERR_SERVER] = {"server", 8},
    [ERR_SERVER_DENIED] = {"server-denied", 9},
    [ERR_NO_SPACE] = {"no-space", 10},
    [ERR_LOCKED] = {"locked", 11},
    [ERR_INTERRUPTED] = {"interrupted", 12},
    [ERR_UNSUPPORTED] = {"unsupported", 13},
};

void
err_record(struct err *err, enum err_code code, const char *fmt, ...)
{
    char msg[sizeof(err->msg)]; /* the arguments may point into err->msg */
    va_list ap;

    REQUIRE(code > ERR_NONE && code < ERR_CODE_COUNT);
    va_start(ap, fmt);
    (void)vsnprintf(msg, sizeof(msg), fmt, ap);
    va_end(ap);
    memcpy(err->msg, msg, sizeof(msg));
    err->code = code;
    err->sys = 0;
    err->retry_after_ms = 0;
}

void
err_record_sys(struct err *err, enum err_code code, int errnum, const char *fmt, ...)
{
    char what[sizeof(err->msg)];
    char why[128];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    if (errnum == ENOSPC || errnum == EDQUOT || errnum == ENOMEM)
        code = ERR_NO_SPACE;
    err_record(err, code, "%s: %s", what, strerror_r(errnum, why, sizeof(why)));
    err->sys = errnum;
}

void
err_prefix(struct err *err, const char *fmt, ...)
{
    char what[sizeof(err->msg)];
    char whole[2 * sizeof(err->msg) + 3];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    (void)snprintf(whole, sizeof(whole), "%s: %s", what, err->msg);
    memcpy(err->msg, whole, sizeof(err->msg));
    err->msg[sizeof(err->msg) - 1] = '\0';
}

void
err_clear(struct err *err)
{
    err->code = ERR_NONE;
    err->sys = 0;
    err->retry_after_ms = 0;
    err->msg[0] = '\0';
}

int
err_exit_status(enum err_code code)
{
    REQUIRE(code >= ERR_NONE && code < ERR_CODE_COUNT);
    return codes[code].exit_status;
}

enum err_code
err_of_exit_status(int status)
{
    for (int code = 0; code < ERR_CODE_COUNT; code++)
        if (codes[code].exit_status == status)
            return (enum err_code)code;
    return ERR_INTERNAL;
}

const char *
err_name(enum err_code code)
{
    REQUIRE(code >= ERR_NONE && code < ERR_CODE_COUNT);
    return codes[code].name;
}
