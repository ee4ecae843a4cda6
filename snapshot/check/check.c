/* SPDX-License-Identifier: Apache-2.0 */
/* check.c: see check.h. */
#include "snapshot/check/check.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FINDING_MAX 1024

const char *
check_verdict_name(enum check_verdict verdict)
{
    static const char *const names[] = {[CHECK_OK] = "ok", [CHECK_WARN] = "warn", [CHECK_FAIL] = "fail"};

    REQUIRE((unsigned)verdict < ARRAY_LEN(names));
    return names[verdict];
}

/* A copy without control characters. */
static char *
clean_copy(const char *text)
{
    char *copy = mem_strdup(text);

    for (char *p = copy; *p != '\0'; p++) {
        if (iscntrl((unsigned char)*p))
            *p = '?';
    }
    return copy;
}

static struct check_row *
add_row(struct check *c, const char *name, enum check_verdict verdict, const char *remedy)
{
    struct check_row *row;

    REQUIRE(c->area != NULL);
    c->rows = mem_grow(c->rows, c->count + 1, sizeof(*c->rows));
    row = &c->rows[c->count++];
    *row = (struct check_row){.area = c->area, .name = name, .verdict = verdict, .remedy = clean_copy(remedy)};
    return row;
}

static void set_finding(struct check_row *row, const char *finding, va_list ap) PRINTF_LIKE(2, 0);

static void
set_finding(struct check_row *row, const char *finding, va_list ap)
{
    char text[FINDING_MAX];

    (void)vsnprintf(text, sizeof(text), finding, ap);
    row->finding = clean_copy(text);
}

void
check_ok(struct check *c, const char *name, const char *finding, ...)
{
    va_list ap;

    va_start(ap, finding);
    set_finding(add_row(c, name, CHECK_OK, ""), finding, ap);
    va_end(ap);
}

void
check_warn(struct check *c, const char *name, const char *remedy, const char *finding, ...)
{
    va_list ap;

    va_start(ap, finding);
    set_finding(add_row(c, name, CHECK_WARN, remedy), finding, ap);
    va_end(ap);
}

void
check_fail(struct check *c, const char *name, enum err_code code, const char *remedy, const char *finding, ...)
{
    struct check_row *row = add_row(c, name, CHECK_FAIL, remedy);
    va_list ap;

    row->code = code;
    va_start(ap, finding);
    set_finding(row, finding, ap);
    va_end(ap);
}

void
check_failed(struct check *c, const char *name, const struct err *failure, const char *remedy)
{
    check_fail(c, name, failure->code, remedy, "%s", failure->msg);
}

/* The place of CODE among the failures, 0 being the gravest. */
static size_t
rank(enum err_code code)
{
    static const enum err_code gravest_first[] = {
        ERR_CORRUPT,   ERR_REFUSED, ERR_STORE_DENIED, ERR_SERVER_DENIED, ERR_UNSUPPORTED, ERR_NO_SPACE,
        ERR_NOT_FOUND, ERR_USAGE,   ERR_STORAGE,      ERR_SERVER,        ERR_LOCKED,
    };
    size_t i = 0;

    while (i < ARRAY_LEN(gravest_first) && gravest_first[i] != code)
        i++;
    return i;
}

const struct check_row *
check_gravest(const struct check *c)
{
    const struct check_row *gravest = NULL;

    for (size_t i = 0; i < c->count; i++) {
        const struct check_row *row = &c->rows[i];

        if (row->verdict == CHECK_FAIL && (gravest == NULL || rank(row->code) < rank(gravest->code)))
            gravest = row;
    }
    return gravest;
}

void
check_fini(struct check *c)
{
    for (size_t i = 0; i < c->count; i++) {
        free(c->rows[i].finding);
        free(c->rows[i].remedy);
    }
    free(c->rows);
    memset(c, 0, sizeof(*c));
}
