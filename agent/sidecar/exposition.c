/* SPDX-License-Identifier: Apache-2.0 */
/* exposition.c: see exposition.h. */
#include "agent/sidecar/exposition.h"

#include <inttypes.h>
#include <string.h>

#define SERIES_MAX 4096 /* bytes of a name with its labels */
#define DIGITS_MAX 15

const char *
exposition_type_name(enum exposition_type type)
{
    static const char *const names[] = {
        [EXPOSITION_GAUGE] = "gauge", [EXPOSITION_COUNTER] = "counter", [EXPOSITION_HISTOGRAM] = "histogram"};

    return names[type];
}

void
exposition_init(struct exposition *e, struct buf *out, const struct exposition_label *common)
{
    size_t n = 0;

    memset(e, 0, sizeof(*e));
    e->out = out;
    for (; common != NULL && common[n].name != NULL; n++) {
        REQUIRE(n + 1 < EXPOSITION_COMMON_MAX);
        e->common[n] = common[n];
    }
}

/* A value may have come from a server that says what it likes: a byte that is no UTF-8 would cost the whole scrape. */
static int
put_escaped(struct buf *out, const char *value, struct err *err)
{
    for (const char *p = value; *p != '\0'; p++) {
        bool plain = *p >= ' ' && *p <= '~';
        char escape = *p == '\n' ? 'n' : *p;
        int rc = strchr("\\\"\n", *p) != NULL ? buf_printf(out, err, "\\%c", escape)
                                              : buf_append(out, plain ? p : "?", 1, err);

        if (rc < 0)
            return -1;
    }
    return 0;
}

static int
put_labels(struct buf *out, const struct exposition_label *labels, bool *first, struct err *err)
{
    for (; labels != NULL && labels->name != NULL; labels++) {
        if (buf_printf(out, err, "%s%s=\"", *first ? "{" : ",", labels->name) < 0 ||
            put_escaped(out, labels->value, err) < 0 || buf_append(out, "\"", 1, err) < 0)
            return -1;
        *first = false;
    }
    return 0;
}

/* `name{label="value",...} ` with the space behind it: what a sample begins with. */
static int
put_series(const struct exposition *e, struct buf *out, const struct exposition_family *family, const char *suffix,
           const struct exposition_label *labels, struct err *err)
{
    bool first = true;

    if (buf_printf(out, err, "%s%s", family->name, suffix) < 0 || put_labels(out, e->common, &first, err) < 0 ||
        put_labels(out, labels, &first, err) < 0)
        return -1;
    return buf_printf(out, err, "%s ", first ? "" : "}");
}

static uint64_t
power_of_ten(unsigned n)
{
    uint64_t power = 1;

    while (n-- > 0)
        power *= 10;
    return power;
}

static int
put_value(struct buf *out, uint64_t value, unsigned decimals, struct err *err)
{
    uint64_t unit = power_of_ten(decimals);

    if (decimals == 0)
        return buf_printf(out, err, "%" PRIu64 "\n", value);
    return buf_printf(out, err, "%" PRIu64 ".%0*" PRIu64 "\n", value / unit, (int)decimals, value % unit);
}

void
exposition_sample(struct exposition *e, const struct exposition_family *family, const char *suffix,
                  const struct exposition_label *labels, uint64_t value, unsigned decimals)
{
    if (e->err.code != ERR_NONE)
        return;
    if (e->family != family && buf_printf(e->out, &e->err, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help,
                                          family->name, exposition_type_name(family->type)) < 0)
        return;
    e->family = family;
    if (put_series(e, e->out, family, suffix, labels, &e->err) == 0)
        (void)!put_value(e->out, value, decimals, &e->err); /* a failure stays in e->err */
}

int
exposition_finish(const struct exposition *e, struct err *err)
{
    if (e->err.code == ERR_NONE)
        return 0;
    *err = e->err;
    return -1;
}

/* ---- reading ---- */

/* DIGITS, or DIGITS.DIGITS with exactly DECIMALS behind the point, up to the end of the line. */
static bool
read_value(const char *p, unsigned decimals, uint64_t *value)
{
    uint64_t n = 0;
    size_t whole = strspn(p, "0123456789"),
           part = decimals > 0 ? strspn(p + whole + (p[whole] == '.'), "0123456789") : 0;

    if (whole == 0 || part != decimals || whole + part > DIGITS_MAX || (decimals > 0 && p[whole] != '.'))
        return false;
    if (p[whole + part + (decimals > 0)] != '\n')
        return false;
    for (size_t i = 0; i < whole + part + (decimals > 0); i++)
        if (p[i] != '.')
            n = n * 10 + (uint64_t)(p[i] - '0');
    *value = n;
    return true;
}

bool
exposition_find(const struct exposition *e, const char *text, const struct exposition_family *family,
                const char *suffix, const struct exposition_label *labels, unsigned decimals, uint64_t *value)
{
    struct err unused = ERR_INIT;
    struct buf series;
    bool found = false;

    buf_init(&series, SERIES_MAX);
    if (put_series(e, &series, family, suffix, labels, &unused) < 0)
        text = NULL;
    while (text != NULL && !found) {
        if (strncmp(text, series.data, series.len) == 0)
            found = read_value(text + series.len, decimals, value);
        text = strchr(text, '\n');
        text = text != NULL ? text + 1 : NULL;
    }
    buf_fini(&series);
    return found;
}
