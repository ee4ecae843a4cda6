/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <string.h>

#include "agent/help.h"
#include "agent/options.h"

static struct buf text;

static int
set_up(void **state)
{
    (void)state;
    buf_init(&text, 65536);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    buf_fini(&text);
    return 0;
}

static void
help_write__every_command__describes_each_of_its_options(void **state)
{
    struct err err = ERR_INIT;
    size_t count;
    const struct option *table = options_table(&count);
    char name[80];

    (void)state;
    for (int id = COMMAND_NONE + 1; id < COMMAND_COUNT; id++) {
        buf_reset(&text);
        assert_ok(help_write((enum command_id)id, &text, &err), &err);
        for (size_t i = 0; i < count; i++) {
            (void)snprintf(name, sizeof(name), "\n  --%s%s", table[i].name, table[i].value != NULL ? " " : "\n");
            if ((strstr(text.data, name) != NULL) != ((table[i].commands & (1u << id)) != 0))
                fail_msg("--%s in the help of %s", table[i].name, command_get((enum command_id)id)->name);
        }
    }
}

static void
help_write__overview__names_commands_and_exit_statuses(void **state)
{
    struct err err = ERR_INIT;
    char line[64];

    (void)state;
    assert_ok(help_write(COMMAND_NONE, &text, &err), &err);
    for (int id = COMMAND_NONE + 1; id < COMMAND_COUNT; id++) {
        (void)snprintf(line, sizeof(line), "\n  %s ", command_get((enum command_id)id)->name);
        assert_non_null(strstr(text.data, line));
    }
    for (int code = 0; code < ERR_CODE_COUNT; code++) {
        (void)snprintf(line, sizeof(line), "\n  %2d  ", err_exit_status((enum err_code)code));
        assert_non_null(strstr(text.data, line));
    }
}

static void
help_write__any_text__keeps_within_the_width(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    for (int id = COMMAND_NONE; id < COMMAND_COUNT; id++) {
        buf_reset(&text);
        assert_ok(help_write((enum command_id)id, &text, &err), &err);
        for (const char *at = text.data; *at != '\0'; at += strcspn(at, "\n") + 1) {
            size_t len = strcspn(at, "\n");

            if (len >= 100 || (len > 0 && at[len - 1] == ' '))
                fail_msg("a line of %zu columns in the help of \"%s\": %.*s", len,
                         command_get((enum command_id)id)->name, (int)len, at);
        }
    }
}

static void
help_short__is_short_and_says_where_more_is(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_ok(help_short(&text, &err), &err);
    assert_true(text.len < 1600);
    assert_non_null(strstr(text.data, "remora help COMMAND"));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(help_write__every_command__describes_each_of_its_options),
        TEST(help_write__overview__names_commands_and_exit_statuses),
        TEST(help_write__any_text__keeps_within_the_width),
        TEST(help_short__is_short_and_says_where_more_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
