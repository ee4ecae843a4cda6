/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <string.h>

#include "base/units.h"

static void
parse_u64__numbers__exact(void **state)
{
    static const char *const bad[] = {
        "", " ", "-1", "+1", "1 ", " 1", "1x", "0x1", "1.0", "18446744073709551616", "99999999999999999999999"};
    struct err err = ERR_INIT;
    uint64_t v = 7;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_fails(units_parse_u64(bad[i], &v, &err), &err, ERR_USAGE);
        assert_int_equal(v, 7);
    }
    assert_ok(units_parse_u64("18446744073709551615", &v, &err), &err);
    assert_true(v == UINT64_MAX);
    assert_ok(units_parse_u64("0", &v, &err), &err);
    assert_int_equal(v, 0);
    assert_ok(units_parse_u64("007", &v, &err), &err);
    assert_int_equal(v, 7);
}

static void
parse_size__with_units__powers_of_1024(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        {"0", 0},
        {"512", 512},
        {"512B", 512},
        {"512b", 512},
        {"1K", 1024},
        {"1k", 1024},
        {"64M", 64u << 20},
        {"8MiB", 8u << 20},
        {"8mib", 8u << 20},
        {"8 MB", 8u << 20},
        {"1G", 1u << 30},
        {"2T", 2ull << 40},
        {"16777215T", 16777215ull << 40},
    };
    static const char *const bad[] = {"",    "M",   "-1M", "1.5M",  "1Mx", "1MM",       "1Bi",
                                      "1BB", "1iB", "1X",  "1 M 2", "M1",  "16777216T", "18446744073709551615K"};
    struct err err = ERR_INIT;
    uint64_t v = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_ok(units_parse_size(good[i].text, &v, &err), &err);
        assert_true(v == good[i].bytes);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_fails(units_parse_size(bad[i], &v, &err), &err, ERR_USAGE);
}

static void
parse_duration__with_units__milliseconds(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"0", 0},          {"90", 90000},     {"90s", 90000},
        {"250ms", 250},    {"5m", 300000},    {"1h30m", 5400000},
        {"7d", 604800000}, {"1w", 604800000}, {"1h0m1s500ms", 3601500},
        {"2H", 7200000},   {"0s", 0},         {"9223372036854775807ms", INT64_MAX},
    };
    static const char *const bad[] = {"",
                                      "s",
                                      "-5s",
                                      "5x",
                                      "5 s",
                                      "5s ",
                                      "1.5h",
                                      "1h30",
                                      "h1",
                                      "5mm",
                                      "5sec",
                                      "1,5s",
                                      "9223372036854775808ms",
                                      "18446744073709551615w",
                                      "9223372036854775807ms1ms"};
    struct err err = ERR_INIT;
    int64_t v = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_ok(units_parse_duration(good[i].text, &v, &err), &err);
        assert_true(v == good[i].ms);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_fails(units_parse_duration(bad[i], &v, &err), &err, ERR_USAGE);
}

static void
parse_time__rfc3339__to_the_millisecond(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-22T10:30:00Z", 1795343400000},
        {"2026-11-22t10:30:00z", 1795343400000},
        {"2026-11-22T11:30:00+01:00", 1795343400000},
        {"2026-11-22T00:00:00-10:30", 1795343400000},
        {"2026-11-22T10:30:00.5Z", 1795343400500},
        {"2026-11-22T10:30:00.123999Z", 1795343400123},
        {"2024-02-29T23:59:59Z", 1709251199000},
        {"1969-12-31T23:59:59.999Z", -1},
        {"9999-12-31T23:59:59Z", 253402300799000},
    };
    static const char *const bad[] = {
        "",
        "now",
        "2026-11-22",
        "2026-11-22 10:30:00Z",
        "2026-11-22T10:30Z",
        "2026-11-22T10:30:00",
        "2026-11-22T10:30:00.Z",
        "2026-11-22T10:30:00+0100",
        "2026-11-22T10:30:00+24:00",
        "2026-11-22T10:30:00+01:60",
        "2026-11-22T10:30:00Zx",
        "2026-02-29T10:30:00Z",
        "2026-04-31T10:30:00Z",
        "2026-00-10T10:30:00Z",
        "2026-13-10T10:30:00Z",
        "2026-11-00T10:30:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T23:60:00Z",
        "2026-11-22T23:59:60Z",
        "-026-11-22T10:30:00Z",
        "2026-1-22T10:30:00Z",
    };
    struct err err = ERR_INIT;
    int64_t v = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_ok(units_parse_time(good[i].text, &v, &err), &err);
        if (v != good[i].ms)
            fail_msg("%s is %lld", good[i].text, (long long)v);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (units_parse_time(bad[i], &v, &err) == 0)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_int_equal(err.code, ERR_USAGE);
    }
}

static void
format__sizes_durations_counts__as_people_read_them(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } sizes[] = {{0, "0 B"},
                 {812, "812 B"},
                 {999, "999 B"},
                 {1000, "0.98 KiB"},
                 {1536, "1.50 KiB"},
                 {8u << 20, "8.00 MiB"},
                 {10485760, "10.0 MiB"},
                 {1022u << 20, "1.00 GiB"},
                 {123456789, "118 MiB"},
                 {UINT64_MAX, "16.0 EiB"}};
    static const struct {
        int64_t ms;
        const char *text;
    } durations[] = {{0, "0 ms"},        {850, "850 ms"},      {1000, "1.0 s"},      {12449, "12.4 s"},
                     {59999, "59.9 s"},  {60000, "1m00s"},     {192000, "3m12s"},    {3599999, "59m59s"},
                     {7500000, "2h05m"}, {86399999, "23h59m"}, {273600000, "3d04h"}, {-5, "-5 ms"}};
    static const struct {
        uint64_t n;
        const char *text;
    } counts[] = {
        {0, "0"}, {999, "999"}, {1000, "1,000"}, {12345678, "12,345,678"}, {UINT64_MAX, "18,446,744,073,709,551,615"}};
    char out[UNITS_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        assert_string_equal(units_format_size(sizes[i].bytes, out), sizes[i].text);
    for (size_t i = 0; i < ARRAY_LEN(durations); i++)
        assert_string_equal(units_format_duration(durations[i].ms, out), durations[i].text);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        assert_string_equal(units_format_count(counts[i].n, out), counts[i].text);
}

static void
format_time__and_parse__are_each_others_reverse(void **state)
{
    static const int64_t times[] = {0, -1, -86400001, 1795343400123, 253402300799999, 951782400000};
    struct err err = ERR_INIT;
    char out[UNITS_TEXT_MAX];
    int64_t back = 0;

    (void)state;
    assert_string_equal(units_format_time(1795343400123, out), "2026-11-22T10:30:00Z");
    assert_string_equal(units_format_time_ms(1795343400123, out), "2026-11-22T10:30:00.123Z");
    assert_string_equal(units_format_time_ms(-1, out), "1969-12-31T23:59:59.999Z");
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        assert_ok(units_parse_time(units_format_time_ms(times[i], out), &back, &err), &err);
        assert_true(back == times[i]);
    }
    (void)units_format_time_ms(INT64_MAX, out);
    (void)units_format_time_ms(INT64_MIN + 1000, out);
    assert_true(strlen(out) < UNITS_TEXT_MAX);
}

static void
hex__there_and_back__and_bad_digits(void **state)
{
    uint8_t raw[4] = {0x00, 0x7f, 0xab, 0xff}, back[4];
    char text[9];

    (void)state;
    units_hex(raw, 4, text);
    assert_string_equal(text, "007fabff");
    assert_int_equal(units_unhex("007FABff", 4, back), 0);
    assert_memory_equal(raw, back, 4);
    assert_int_equal(units_unhex("007fabf", 4, back), -1); /* ends early */
    assert_int_equal(units_unhex("007fabfg", 4, back), -1);
    assert_int_equal(units_unhex("g07fabff", 4, back), -1);
    units_hex(raw, 0, text);
    assert_string_equal(text, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_u64__numbers__exact),
        cmocka_unit_test(parse_size__with_units__powers_of_1024),
        cmocka_unit_test(parse_duration__with_units__milliseconds),
        cmocka_unit_test(parse_time__rfc3339__to_the_millisecond),
        cmocka_unit_test(format__sizes_durations_counts__as_people_read_them),
        cmocka_unit_test(format_time__and_parse__are_each_others_reverse),
        cmocka_unit_test(hex__there_and_back__and_bad_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
