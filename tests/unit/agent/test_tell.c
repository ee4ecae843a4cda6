/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/progress_bar.h"
#include "agent/tell.h"

static int ends[2]; /* of a pipe that is told to */

static void
name_fd(int fd)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%d", fd);
    assert_int_equal(setenv(TELL_FD_NAME, text, 1), 0);
    tell_start();
}

static int
set_up(void **state)
{
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    name_fd(ends[1]);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    (void)close(ends[0]);
    (void)close(ends[1]);
    return 0;
}

/* The next line without its newline; "" when there is none. */
static const char *
next_line(void)
{
    static char line[TELL_LINE_MAX + 1];
    size_t len = 0;

    while (len < TELL_LINE_MAX && read(ends[0], line + len, 1) == 1 && line[len] != '\n')
        len++;
    line[len] = '\0';
    return line;
}

static enum tell_kind
parse(const char *line, struct progress *p, struct store_meter_counts *c)
{
    struct told told = {0};
    enum tell_kind kind;

    if (p != NULL)
        told.progress = *p;
    if (c != NULL)
        told.storage = *c;
    kind = tell_parse(line, strlen(line), &told);
    if (p != NULL)
        *p = told.progress;
    if (c != NULL)
        *c = told.storage;
    return kind;
}

static void
progress__told__comes_back(void **state)
{
    const struct progress told = {.phase = PROGRESS_STORING, .done = 1, .total = UINT64_C(1) << 62, .stored = 3};
    struct progress p = {0};
    const char *line;

    (void)state;
    assert_true(tell_is_on());
    tell_progress(&told);
    line = next_line();
    assert_string_equal(line,
                        "{\"progress\":{\"phase\":\"storing\",\"done\":1,\"total\":4611686018427387904,\"stored\":3}}");
    assert_int_equal(parse(line, &p, NULL), TELL_PROGRESS);
    assert_int_equal(p.phase, told.phase);
    assert_int_equal(p.done, told.done);
    assert_int_equal(p.total, told.total);
    assert_int_equal(p.stored, told.stored);
}

static void
progress__every_phase__has_a_name_that_is_found(void **state)
{
    int phases = 0;

    (void)state;
    while (*progress_phase_name((enum progress_phase)phases) != '\0') {
        const struct progress told = {.phase = (enum progress_phase)phases};
        struct progress p = {0};

        tell_progress(&told);
        assert_int_equal(parse(next_line(), &p, NULL), TELL_PROGRESS);
        assert_int_equal(p.phase, phases);
        phases++;
    }
    assert_true(phases > PROGRESS_LOADING);
}

static void
progress__many_at_once__is_told_once_a_phase(void **state)
{
    struct progress p = {.phase = PROGRESS_SAVING};

    (void)state;
    for (p.done = 0; p.done < 1000; p.done++)
        tell_progress(&p);
    p.phase = PROGRESS_STORING;
    tell_progress(&p);
    assert_non_null(strstr(next_line(), "saving"));
    assert_non_null(strstr(next_line(), "storing"));
    assert_string_equal(next_line(), "");
}

static void
progress__reader_that_takes_nothing__does_not_hold_us_up(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4000; i++) {
        const struct progress p = {.phase = i % 2 == 0 ? PROGRESS_SAVING : PROGRESS_STORING, .done = i};

        tell_progress(&p);
    }
    for (unsigned i = 0; i < 100; i++) { /* whole lines, whatever was dropped */
        struct progress p = {0};

        assert_int_equal(parse(next_line(), &p, NULL), TELL_PROGRESS);
        assert_int_equal(p.done, i);
    }
}

static void
error__told__comes_back(void **state)
{
    struct err err = ERR_INIT;
    struct told told = {0};
    const char *line;

    (void)state;
    (void)err_set(&err, ERR_SERVER, "ask \"redis\": no answer");
    tell_error(&err);
    line = next_line();
    assert_string_equal(line, "{\"error\":{\"exit_status\":8,\"message\":\"ask \\\"redis\\\": no answer\"}}");
    assert_int_equal(tell_parse(line, strlen(line), &told), TELL_ERROR);
    assert_string_equal(told.error, err.msg);
}

static void
storage__told__comes_back(void **state)
{
    struct store_meter_counts told, c = {0};
    uint64_t *n = (uint64_t *)&told;
    const char *line;

    (void)state;
    for (size_t i = 0; i < sizeof(told) / sizeof(*n); i++)
        n[i] = UINT64_C(1000000000000) + i;
    tell_storage(&told);
    line = next_line();
    assert_int_equal(parse(line, NULL, &c), TELL_STORAGE);
    assert_memory_equal(&c, &told, sizeof(c));
}

static void
storage__nobody_reads__is_dropped(void **state)
{
    const struct store_meter_counts c = {0};

    (void)state;
    (void)close(ends[0]);
    ends[0] = -1;
    assert_int_equal(sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL), 0);
    tell_storage(&c);
}

static void
start__what_is_no_open_pipe__tells_nothing(void **state)
{
    static const char *const bad[] = {"", "x", "2", "-1", "999", "3x", "99999999999999999999"};
    FILE *file = tmpfile();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(setenv(TELL_FD_NAME, bad[i], 1), 0);
        tell_start();
        assert_false(tell_is_on());
        assert_null(getenv(TELL_FD_NAME));
    }
    assert_non_null(file);
    name_fd(fileno(file)); /* a file is never written into */
    assert_false(tell_is_on());
    (void)fclose(file);
    name_fd(ends[0]); /* the end that is read */
    assert_false(tell_is_on());
    tell_progress(&(struct progress){0});
    tell_start(); /* no variable at all */
    assert_false(tell_is_on());
    name_fd(ends[1]);
    assert_true(tell_is_on());
    assert_int_equal(fcntl(ends[1], F_GETFD), FD_CLOEXEC);
}

static void
parse__other_and_broken_lines__touch_nothing(void **state)
{
    static const char *const lines[] = {
        "",
        "{",
        "[]",
        "{}",
        "x",
        "{\"progress\":1}",
        "{\"progress\":{}}",
        "{\"progress\":{\"phase\":\"\",\"done\":1,\"total\":2,\"stored\":3}}",
        "{\"progress\":{\"phase\":\"dancing\",\"done\":1,\"total\":2,\"stored\":3}}",
        "{\"progress\":{\"phase\":\"storing\",\"done\":-1,\"total\":2,\"stored\":3}}",
        "{\"progress\":{\"phase\":\"storing\",\"done\":1.5,\"total\":2,\"stored\":3}}",
        "{\"progress\":{\"phase\":\"storing\",\"done\":1,\"total\":2}}",
        "{\"error\":null}",
        "{\"storage\":{}}",
        "{\"storage\":{\"calls\":{},\"bytes_put\":1,\"bytes_got\":1,\"retries\":1}}",
        ("{\"storage\":{\"calls\":{\"put\":{\"count\":1,\"failures\":0,\"total_ms\":1,\"buckets\":[1]}},"
         "\"bytes_put\":1,\"bytes_got\":1,\"retries\":1}}"),
        "{\"weather\":{}}",
    };
    char *long_line = calloc(1, TELL_LINE_MAX + 2);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct progress p = {.done = 77};
        struct store_meter_counts c = {.retries = 88};

        if (parse(lines[i], &p, &c) != TELL_NOTHING)
            fail_msg("taken: %s", lines[i]);
        assert_int_equal(p.done, 77);
        assert_int_equal(c.retries, 88);
    }
    assert_non_null(long_line);
    memset(long_line, ' ', TELL_LINE_MAX + 1);
    assert_int_equal(parse(long_line, NULL, NULL), TELL_NOTHING);
    free(long_line);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(progress__told__comes_back),
        TEST(progress__every_phase__has_a_name_that_is_found),
        TEST(progress__many_at_once__is_told_once_a_phase),
        TEST(progress__reader_that_takes_nothing__does_not_hold_us_up),
        TEST(error__told__comes_back),
        TEST(storage__told__comes_back),
        TEST(storage__nobody_reads__is_dropped),
        TEST(start__what_is_no_open_pipe__tells_nothing),
        TEST(parse__other_and_broken_lines__touch_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
