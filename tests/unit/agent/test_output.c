/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "agent/output.h"

/* What the reader of the pipe FD gets, up to 200 bytes. */
static const char *
read_text(int fd)
{
    static char text[201];
    ssize_t n = read(fd, text, 200);

    assert_true(n >= 0);
    text[n] = '\0';
    return text;
}

static void
output_json_take__object__is_one_line_in_order(void **state)
{
    struct err err = ERR_INIT;
    struct output out = {.json = true};
    json_t *object = json_object();
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    out.fd = fds[1];
    output_add_text(object, "z", "a \"b\"");
    output_add_count(object, "a", 12);
    output_add_time(object, "t", 0);
    output_add_text(object, "bad", "x\xff");
    assert_ok(output_json_take(&out, object, &err), &err);
    assert_true(out.wrote);
    assert_string_equal(read_text(fds[0]),
                        "{\"z\":\"a \\\"b\\\"\",\"a\":12,\"t\":\"1970-01-01T00:00:00Z\",\"bad\":\"x?\"}\n");
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void
output_text__reader_is_gone__fails(void **state)
{
    struct err err = ERR_INIT;
    struct output out = {0};
    int fds[2];

    (void)state;
    assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    assert_int_equal(pipe(fds), 0);
    (void)close(fds[0]);
    out.fd = fds[1];
    assert_fails(output_text(&out, &err, "%s\n", "id"), &err, ERR_INTERRUPTED);
    (void)close(fds[1]);
}

static void
output_text__full_disk__is_no_space(void **state)
{
    struct err err = ERR_INIT;
    struct output out = {.fd = open("/dev/full", O_WRONLY)};

    (void)state;
    assert_true(out.fd >= 0);
    assert_fails(output_text(&out, &err, "%s\n", "id"), &err, ERR_NO_SPACE);
    (void)close(out.fd);
}

static void
output_failure__holds_code_status_and_sentence(void **state)
{
    struct err failure = ERR_INIT;
    json_t *object;
    char *text;

    (void)state;
    (void)err_set(&failure, ERR_NOT_FOUND, "there is none");
    object = output_failure("show", &failure);
    text = json_dumps(object, JSON_COMPACT);
    assert_string_equal(text, "{\"command\":\"show\",\"error\":{\"code\":\"not-found\",\"exit_status\":3,"
                              "\"message\":\"there is none\"}}");
    free(text);
    json_decref(object);
    object = output_failure("", &failure);
    assert_true(json_is_null(json_object_get(object, "command")));
    json_decref(object);
}

static void
output_verified__never__is_null(void **state)
{
    const struct catalog_entry not_yet = {.verified_ms = 0};
    const struct catalog_entry digests = {.verified_ms = 1000, .verified_level = "digests"};
    const struct catalog_entry loaded = {
        .verified_ms = 2000, .verified_level = "digests", .loaded_ms = 1000, .loaded_by = "redis 7.0.15"};
    json_t *never = output_verified(&not_yet), *once = output_verified(&digests), *twice = output_verified(&loaded);
    const json_t *load = json_object_get(twice, "load");

    (void)state;
    assert_true(json_is_null(never));
    assert_string_equal(json_string_value(json_object_get(once, "level")), "digests");
    assert_true(json_is_null(json_object_get(once, "load")));
    assert_string_equal(json_string_value(json_object_get(load, "server")), "redis 7.0.15");
    assert_string_equal(json_string_value(json_object_get(load, "time")), "1970-01-01T00:00:01Z");
    json_decref(twice);
    json_decref(never);
    json_decref(once);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_json_take__object__is_one_line_in_order),
        cmocka_unit_test(output_text__reader_is_gone__fails),
        cmocka_unit_test(output_text__full_disk__is_no_space),
        cmocka_unit_test(output_failure__holds_code_status_and_sentence),
        cmocka_unit_test(output_verified__never__is_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
