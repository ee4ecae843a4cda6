/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

/* What was logged since the last call; the caller frees. */
static char *
logged(FILE *f)
{
    char *text = mem_new(1u << 20);

    assert_int_equal(fseek(f, 0, SEEK_SET), 0);
    text[fread(text, 1, (1u << 20) - 1, f)] = '\0';
    assert_int_equal(ftruncate(fileno(f), 0), 0);
    assert_int_equal(lseek(fileno(f), 0, SEEK_SET), 0);
    return text;
}

static int
setup(void **state)
{
    FILE *f = tmpfile();

    *state = f;
    return f == NULL;
}

static int
teardown(void **state)
{
    log_setup(STDERR_FILENO, LOG_TEXT, LOG_INFO);
    return fclose(*state);
}

static void
text__all_kinds_of_fields__one_line_quoted_where_needed(void **state)
{
    FILE *f = *state;
    char *text;

    log_setup(fileno(f), LOG_TEXT, LOG_DEBUG);
    log_warn("it happened", LOG_S("bare", "a/b:c-\xc3\xa9"), LOG_S("space", "a b"), LOG_S("empty", ""),
             LOG_S("null", NULL), LOG_S("quote", "a\"b\\c"), LOG_S("lines", "a\nb\tc"), LOG_S("escape", "\033[31m"),
             LOG_S("eq", "k=v"), LOG_U("u", UINT64_MAX), LOG_I("i", INT64_MIN), LOG_B("yes", true), LOG_B("no", false));
    text = logged(f);
    /* 2026-11-22T10:30:00.123Z in front */
    assert_int_equal(text[10], 'T');
    assert_int_equal(text[23], 'Z');
    assert_string_equal(
        text + 24, " warn it happened bare=a/b:c-\xc3\xa9 space=\"a b\" empty=\"\" null=\"\" quote=\"a\\\"b\\\\c\" "
                   "lines=\"a\\nb\\u0009c\" escape=\"\\u001b[31m\" eq=\"k=v\" u=18446744073709551615 "
                   "i=-9223372036854775808 yes=true no=false\n");
    free(text);
}

static void
json__all_kinds_of_fields__parse_back(void **state)
{
    static const char odd[] = "a\"b\\c\n\t\001\177\xc3\xa9/";
    FILE *f = *state;
    json_t *object;
    char *text;

    log_setup(fileno(f), LOG_JSON, LOG_DEBUG);
    log_error("said \"so\"", LOG_S("odd", odd), LOG_S("null", NULL), LOG_U("u", 12345678901), LOG_I("i", -5),
              LOG_B("b", true));
    text = logged(f);
    object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(object);
    assert_int_equal(strlen(json_string_value(json_object_get(object, "time"))), 24);
    assert_string_equal(json_string_value(json_object_get(object, "level")), "error");
    assert_string_equal(json_string_value(json_object_get(object, "msg")), "said \"so\"");
    assert_string_equal(json_string_value(json_object_get(object, "odd")), odd);
    assert_string_equal(json_string_value(json_object_get(object, "null")), "");
    assert_int_equal(json_integer_value(json_object_get(object, "u")), 12345678901);
    assert_int_equal(json_integer_value(json_object_get(object, "i")), -5);
    assert_true(json_is_true(json_object_get(object, "b")));
    json_decref(object);
    free(text);
}

static void
too_long__field_without_room__is_left_out_and_the_line_says_so(void **state)
{
    FILE *f = *state;
    char *big = mem_new(20001), *text;
    json_t *object;

    for (size_t len = 16200; len <= 16400; len++) { /* around the ceiling, byte by byte */
        memset(big, '\n', len / 2);                 /* two bytes each in the line */
        big[len / 2] = '\0';
        log_setup(fileno(f), LOG_JSON, LOG_INFO);
        log_info("m", LOG_S("first", "1"), LOG_S("big", big), LOG_S("last", len % 2 != 0 ? "xx" : "x"));
        text = logged(f);
        object = json_loads(text, 0, NULL);
        assert_non_null(object);
        assert_string_equal(json_string_value(json_object_get(object, "first")), "1");
        assert_true((json_object_get(object, "last") != NULL) != json_is_true(json_object_get(object, "cut")));
        assert_true(strlen(text) <= 16384 + 20);
        json_decref(object);
        free(text);
    }
    memset(big, 'x', 20000);
    log_setup(fileno(f), LOG_TEXT, LOG_INFO);
    log_info("m", LOG_S("first", "1"), LOG_S("big", big), LOG_S("last", "x"));
    text = logged(f);
    assert_string_equal(text + 24, " info m first=1 cut=true\n");
    free(text);
    free(big);
}

static void
levels__below_the_set_one__are_silent(void **state)
{
    FILE *f = *state;
    char *text;

    log_setup(fileno(f), LOG_TEXT, LOG_WARN);
    log_debug("no", LOG_NONE);
    log_info("no", LOG_NONE);
    log_warn("yes", LOG_NONE);
    log_error("yes", LOG_NONE);
    log_setup(fileno(f), LOG_TEXT, LOG_OFF);
    log_error("no", LOG_NONE);
    text = logged(f);
    assert_null(strstr(text, "no"));
    assert_int_equal(strstr(strstr(text, "yes") + 1, "yes") != NULL, 1);
    free(text);
}

static void
log_event__errno__is_kept(void **state)
{
    (void)state;
    log_setup(-1, LOG_TEXT, LOG_INFO); /* the write fails */
    errno = ENOTTY;
    log_info("lost", LOG_NONE);
    assert_int_equal(errno, ENOTTY);
}

static void
note_hook(bool before, void *cookie)
{
    char *order = cookie;

    order[strlen(order)] = before ? 'b' : 'a';
}

static void
hook__around_each_line__is_called(void **state)
{
    FILE *f = *state;
    char order[16] = "";

    log_setup(fileno(f), LOG_TEXT, LOG_INFO);
    log_set_hook(note_hook, order);
    log_info("one", LOG_NONE);
    log_debug("none", LOG_NONE);
    log_info("two", LOG_NONE);
    log_set_hook(NULL, NULL);
    log_info("three", LOG_NONE);
    assert_string_equal(order, "baba");
}

static void *
log_much(void *arg)
{
    for (int i = 0; i < 200; i++)
        log_info("line", LOG_S("who", arg), LOG_S("fill", "......................................................"));
    return NULL;
}

static void
log_event__four_threads__lines_do_not_mix(void **state)
{
    static char names[4][2] = {"a", "b", "c", "d"};
    FILE *f = *state;
    pthread_t threads[4];
    char *text, *save = NULL;
    unsigned lines = 0;

    log_setup(fileno(f), LOG_JSON, LOG_INFO);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_much, names[i]), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    text = logged(f);
    for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
        json_t *object = json_loads(line, 0, NULL);

        assert_non_null(object);
        json_decref(object);
        lines++;
    }
    assert_int_equal(lines, 800);
    free(text);
}

int
main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(text__all_kinds_of_fields__one_line_quoted_where_needed),
        CASE(json__all_kinds_of_fields__parse_back),
        CASE(too_long__field_without_room__is_left_out_and_the_line_says_so),
        CASE(levels__below_the_set_one__are_silent),
        CASE(log_event__errno__is_kept),
        CASE(hook__around_each_line__is_called),
        CASE(log_event__four_threads__lines_do_not_mix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
