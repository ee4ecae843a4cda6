/* SPDX-License-Identifier: Apache-2.0 */
/* units.h: sizes, durations and times as people write them, both ways. No I/O, thread-safe. */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define UNITS_TEXT_MAX 40 /* enough for every formatted value below, NUL included */

/* An unsigned decimal number and nothing else. */
int units_parse_u64(const char *text, uint64_t *value, struct err *err) MUST_CHECK;

/* Bytes: a number with an optional unit: B, K, M, G, T (also KB, KiB, Kb...: all are powers of 1024). ERR_USAGE. */
int units_parse_size(const char *text, uint64_t *bytes, struct err *err) MUST_CHECK;

/* Milliseconds: numbers with ms, s, m, h, d or w, which may follow one another ("1h30m"); a bare number, alone, is
 * seconds.
 * ERR_USAGE. */
int units_parse_duration(const char *text, int64_t *ms, struct err *err) MUST_CHECK;

/* RFC 3339 ("2026-11-22T10:30:00Z", offsets and fractions too) to milliseconds since 1970. ERR_USAGE. */
int units_parse_time(const char *text, int64_t *ms, struct err *err) MUST_CHECK;

/* "812 B", "1.50 MiB": three figures. Returns OUT. */
const char *units_format_size(uint64_t bytes, char out[UNITS_TEXT_MAX]);

/* "850 ms", "12.4 s", "3m12s", "2h05m", "3d04h". Returns OUT. */
const char *units_format_duration(int64_t ms, char out[UNITS_TEXT_MAX]);

/* RFC 3339 in UTC: to the second ("2026-11-22T10:30:00Z"), or with milliseconds. Returns OUT. */
const char *units_format_time(int64_t ms, char out[UNITS_TEXT_MAX]);
const char *units_format_time_ms(int64_t ms, char out[UNITS_TEXT_MAX]);

/* The same moment as it stands in names, to the second: "20261122T103000Z". Text order is time order. Returns OUT. */
const char *units_format_stamp(int64_t ms, char out[UNITS_TEXT_MAX]);
#define UNITS_STAMP_LEN 16

/* The reverse: are the first UNITS_STAMP_LEN characters of TEXT exactly of that form, a time that exists? */
bool units_parse_stamp(const char *text, int64_t *ms) MUST_CHECK;

/* "12,345,678". Returns OUT. */
const char *units_format_count(uint64_t n, char out[UNITS_TEXT_MAX]);

/* LEN bytes as 2 * LEN lower-case hex digits and a NUL. */
void units_hex(const void *data, size_t len, char *out);

/* The reverse: exactly 2 * LEN hex digits (either case) at HEX into OUT; -1 when there is any other character. */
int units_unhex(const char *hex, size_t len, void *out) MUST_CHECK;

#endif
