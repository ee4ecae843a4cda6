/* SPDX-License-Identifier: Apache-2.0 */
/* units.c: see units.h. */
#include "base/units.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* Digits at *TEXT, which moves behind them; -1 when there are none or the value does not fit. */
static int
take_u64(const char **text, uint64_t *value)
{
    const char *p = *text;
    uint64_t v = 0;

    if (*p < '0' || *p > '9')
        return -1;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
            return -1;
    }
    *text = p;
    *value = v;
    return 0;
}

int
units_parse_u64(const char *text, uint64_t *value, struct err *err)
{
    const char *p = text;
    uint64_t v = 0;

    if (take_u64(&p, &v) < 0 || *p != '\0')
        return err_set(err, ERR_USAGE, "\"%s\" is not a whole number", text);
    *value = v;
    return 0;
}

int
units_parse_size(const char *text, uint64_t *bytes, struct err *err)
{
    static const char letters[] = "BKMGT";
    const char *p = text;
    uint64_t v = 0;
    unsigned shift = 0;

    if (take_u64(&p, &v) < 0)
        return err_set(err, ERR_USAGE, "\"%s\" is not a size (such as 512K, 64M, 8MiB)", text);
    while (*p == ' ')
        p++;
    if (*p != '\0') {
        const char *letter = strchr(letters, toupper((unsigned char)*p));

        if (letter == NULL)
            return err_set(err, ERR_USAGE, "\"%s\" is not a size (such as 512K, 64M, 8MiB)", text);
        shift = 10 * (unsigned)(letter - letters);
        p++;
        if (shift > 0 && strcasecmp(p, "b") != 0 && strcasecmp(p, "ib") != 0 && *p != '\0')
            return err_set(err, ERR_USAGE, "\"%s\" is not a size (such as 512K, 64M, 8MiB)", text);
        if (shift == 0 && *p != '\0')
            return err_set(err, ERR_USAGE, "\"%s\" is not a size (such as 512K, 64M, 8MiB)", text);
    }
    if (v > UINT64_MAX >> shift)
        return err_set(err, ERR_USAGE, "the size \"%s\" is too large", text);
    *bytes = v << shift;
    return 0;
}

/* The milliseconds of the unit at *TEXT, which moves behind it; 0 when there is none that is known. */
static uint64_t
take_unit(const char **text)
{
    static const struct {
        const char *name;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {"w", 604800000}};

    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        size_t len = strlen(units[i].name);

        if (strncasecmp(*text, units[i].name, len) == 0) {
            *text += len;
            return units[i].ms;
        }
    }
    return 0;
}

int
units_parse_duration(const char *text, int64_t *ms, struct err *err)
{
    const char *p = text;
    uint64_t total = 0;
    bool first = true; /* "90" is seconds, but "1h30" could mean anything */

    do {
        uint64_t v = 0, unit;

        if (take_u64(&p, &v) < 0)
            return err_set(err, ERR_USAGE, "\"%s\" is not a duration (such as 30s, 5m, 1h30m, 7d)", text);
        unit = *p == '\0' && first ? 1000 : take_unit(&p);
        first = false;
        if (unit == 0 || __builtin_mul_overflow(v, unit, &v) || __builtin_add_overflow(total, v, &total) ||
            total > INT64_MAX)
            return err_set(err, ERR_USAGE, "\"%s\" is not a duration (such as 30s, 5m, 1h30m, 7d)", text);
    } while (*p != '\0');
    *ms = (int64_t)total;
    return 0;
}

/* Exactly N digits at *TEXT, which moves behind them and SEP (0: none); -1 otherwise. */
static int
take_digits(const char **text, int n, char sep, int *value)
{
    int v = 0;

    for (int i = 0; i < n; i++) {
        if ((*text)[i] < '0' || (*text)[i] > '9')
            return -1;
        v = v * 10 + ((*text)[i] - '0');
    }
    *text += n;
    if (sep != '\0') {
        if (toupper((unsigned char)**text) != sep)
            return -1;
        (*text)++;
    }
    *value = v;
    return 0;
}

/* ".123456" at *TEXT: milliseconds, the rest is cut. */
static int
take_fraction(const char **text, int *ms)
{
    int scale = 100;

    *ms = 0;
    if (**text != '.')
        return 0;
    (*text)++;
    if (!isdigit((unsigned char)**text))
        return -1;
    for (; isdigit((unsigned char)**text); (*text)++, scale /= 10)
        *ms += (**text - '0') * scale;
    return 0;
}

/* "Z" or "+01:00" at *TEXT, in minutes. */
static int
take_zone(const char **text, int *minutes)
{
    int sign, h = 0, m = 0;

    *minutes = 0;
    if (**text == 'Z' || **text == 'z') {
        (*text)++;
        return 0;
    }
    if (**text != '+' && **text != '-')
        return -1;
    sign = **text == '-' ? -1 : 1;
    (*text)++;
    if (take_digits(text, 2, ':', &h) < 0 || take_digits(text, 2, '\0', &m) < 0 || h > 23 || m > 59)
        return -1;
    *minutes = sign * (h * 60 + m);
    return 0;
}

int
units_parse_time(const char *text, int64_t *ms, struct err *err)
{
    struct tm tm = {0}, check;
    const char *p = text;
    int year = 0, month = 0, fraction = 0, zone = 0;
    time_t t;

    if (take_digits(&p, 4, '-', &year) < 0 || take_digits(&p, 2, '-', &month) < 0 ||
        take_digits(&p, 2, 'T', &tm.tm_mday) < 0 || take_digits(&p, 2, ':', &tm.tm_hour) < 0 ||
        take_digits(&p, 2, ':', &tm.tm_min) < 0 || take_digits(&p, 2, '\0', &tm.tm_sec) < 0 ||
        take_fraction(&p, &fraction) < 0 || take_zone(&p, &zone) < 0 || *p != '\0')
        return err_set(err, ERR_USAGE, "\"%s\" is not a time (such as 2026-11-22T10:30:00Z)", text);
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    check = tm;
    t = timegm(&check);
    /* timegm() turns 31 February into a day in March: what comes back must be what was asked. */
    if (check.tm_mon != tm.tm_mon || check.tm_mday != tm.tm_mday || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59)
        return err_set(err, ERR_USAGE, "\"%s\" is not a time that exists", text);
    *ms = ((int64_t)t - (int64_t)zone * 60) * 1000 + fraction;
    return 0;
}

const char *
units_format_size(uint64_t bytes, char out[UNITS_TEXT_MAX])
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double v = (double)bytes;
    size_t unit = 0;

    while (v >= 999.5 && unit + 1 < ARRAY_LEN(names)) {
        v /= 1024;
        unit++;
    }
    if (unit == 0)
        (void)snprintf(out, UNITS_TEXT_MAX, "%" PRIu64 " B", bytes);
    else
        (void)snprintf(out, UNITS_TEXT_MAX, "%.*f %s", v < 9.995 ? 2 : v < 99.95 ? 1 : 0, v, names[unit]);
    return out;
}

const char *
units_format_duration(int64_t ms, char out[UNITS_TEXT_MAX])
{
    int64_t s = ms / 1000;

    if (ms < 1000)
        (void)snprintf(out, UNITS_TEXT_MAX, "%" PRId64 " ms", ms);
    else if (ms < 60000)
        (void)snprintf(out, UNITS_TEXT_MAX, "%" PRId64 ".%d s", s, (int)(ms % 1000 / 100));
    else if (s < 3600)
        (void)snprintf(out, UNITS_TEXT_MAX, "%dm%02ds", (int)(s / 60), (int)(s % 60));
    else if (s < 86400)
        (void)snprintf(out, UNITS_TEXT_MAX, "%dh%02dm", (int)(s / 3600), (int)(s % 3600 / 60));
    else
        (void)snprintf(out, UNITS_TEXT_MAX, "%" PRId64 "d%02dh", s / 86400, (int)(s % 86400 / 3600));
    return out;
}

static const char *
format_time(int64_t ms, bool fraction, char out[UNITS_TEXT_MAX])
{
    int64_t s = ms / 1000, rest = ms % 1000;
    struct tm tm;
    time_t t;
    size_t len;

    if (rest < 0) {
        rest += 1000;
        s--;
    }
    t = (time_t)s;
    REQUIRE(gmtime_r(&t, &tm) != NULL);
    len = strftime(out, UNITS_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
    if (fraction)
        (void)snprintf(out + len, UNITS_TEXT_MAX - len, ".%03dZ", (int)rest);
    else
        (void)snprintf(out + len, UNITS_TEXT_MAX - len, "Z");
    return out;
}

const char *
units_format_time(int64_t ms, char out[UNITS_TEXT_MAX])
{
    return format_time(ms, false, out);
}

const char *
units_format_time_ms(int64_t ms, char out[UNITS_TEXT_MAX])
{
    return format_time(ms, true, out);
}

const char *
units_format_stamp(int64_t ms, char out[UNITS_TEXT_MAX])
{
    size_t o = 0;

    (void)units_format_time(ms, out);
    for (const char *p = out; *p != '\0'; p++) {
        if (*p != '-' && *p != ':')
            out[o++] = *p;
    }
    out[o] = '\0';
    return out;
}

bool
units_parse_stamp(const char *text, int64_t *ms)
{
    static const char shape[UNITS_STAMP_LEN + 1] = "ddddddddTddddddZ";
    char when[UNITS_TEXT_MAX];
    struct err unused = ERR_INIT;

    for (size_t i = 0; i < UNITS_STAMP_LEN; i++) {
        if (shape[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != shape[i])
            return false;
    }
    (void)snprintf(when, sizeof(when), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", text, text + 4, text + 6, text + 9, text + 11,
                   text + 13);
    return units_parse_time(when, ms, &unused) == 0;
}

const char *
units_format_count(uint64_t n, char out[UNITS_TEXT_MAX])
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%" PRIu64, n);
    size_t o = 0;

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[o++] = ',';
        out[o++] = digits[i];
    }
    out[o] = '\0';
    return out;
}

void
units_hex(const void *data, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = data;

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * len] = '\0';
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int
units_unhex(const char *hex, size_t len, void *out)
{
    uint8_t *p = out;

    for (size_t i = 0; i < len; i++) {
        int hi = hex_digit(hex[2 * i]);
        int lo = hi < 0 ? -1 : hex_digit(hex[2 * i + 1]);

        if (lo < 0)
            return -1;
        p[i] = (uint8_t)(hi << 4 | lo);
    }
    return 0;
}
