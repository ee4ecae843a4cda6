/* SPDX-License-Identifier: Apache-2.0 */
/* test_docs.c: the man page and the completion leave out nothing of the tables. What bash and the man page readers make
 * of them is tested from outside (tests/integration/test_docs.py). */
#include "agent/docs.h"

#include <stdio.h>
#include <string.h>

#include "agent/help.h"
#include "agent/options.h"
#include "tests/support/test_common.h"

static struct buf man, bash;

static int
set_up(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    buf_init(&man, 1 << 20);
    buf_init(&bash, 1 << 20);
    assert_ok(docs_man(&man, &err), &err);
    assert_ok(docs_bash(&bash, &err), &err);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    buf_fini(&man);
    buf_fini(&bash);
    return 0;
}

/* Does TEXT have WORD with no letter, digit or hyphen around it? */
static bool
has_word(const char *text, const char *word)
{
    static const char part[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
        const char before = at > text ? at[-1] : ' ', after = at[strlen(word)];

        if ((before == '\0' || strchr(part, before) == NULL) && (after == '\0' || strchr(part, after) == NULL))
            return true;
    }
    return false;
}

/* The line of TEXT that starts with START behind spaces, into LINE. */
static void
find_line(const char *text, const char *start, char line[4096])
{
    for (const char *at = text; at != NULL; at = strchr(at, '\n')) {
        at += strspn(at, " \n");
        if (strncmp(at, start, strlen(start)) == 0) {
            (void)snprintf(line, 4096, "%.*s", (int)strcspn(at, "\n"), at);
            return;
        }
    }
    fail_msg("no line starts with \"%s\"", start);
}

static void
docs_man__every_option__is_there_with_its_variable(void **state)
{
    size_t count;
    const struct option *table = options_table(&count);
    char env[OPTION_ENV_MAX], name[80], typed[200];

    (void)state;
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;

        (void)snprintf(name, sizeof(name), "\n\\fB--%s\\fR", table[i].name);
        for (const char *p = name; *p != '\0'; p++)
            at += (size_t)snprintf(typed + at, sizeof(typed) - at, "%s%c", *p == '-' ? "\\" : "", *p);
        if (strstr(man.data, typed) == NULL)
            fail_msg("the man page does not describe --%s", table[i].name);
        (void)snprintf(name, sizeof(name), "(%s)\n", option_env(&table[i], env));
        assert_non_null(strstr(man.data, name));
    }
}

static void
docs_man__every_command_and_status__is_there(void **state)
{
    char text[200];
    int status = 0;

    (void)state;
    for (int id = COMMAND_NONE + 1; id < COMMAND_COUNT; id++) {
        const struct command *c = command_get((enum command_id)id);

        (void)snprintf(text, sizeof(text), "\n.SS \"%s%s%s\"\n", c->name, *c->arguments != '\0' ? " " : "",
                       c->arguments);
        assert_non_null(strstr(man.data, text));
    }
    for (size_t i = 0; help_status(i, &status) != NULL; i++) {
        assert_int_equal(status, i);
        (void)snprintf(text, sizeof(text), "\n.B %d\n", status);
        assert_non_null(strstr(man.data, text));
    }
    assert_int_equal(status, 13);
}

static void
docs_man__lines__are_short_and_none_is_a_request_by_accident(void **state)
{
    static const char *const macros[] = {".TH", ".SH", ".SS", ".TP", ".PP", ".IP", ".RS",  ".RE",
                                         ".nf", ".fi", ".B",  ".I",  ".BR", ".RI", ".\\\""};
    const char *line = man.data;

    (void)state;
    while (*line != '\0') {
        int len = (int)strcspn(line, "\n");
        bool known = *line != '.' && *line != '\'';

        for (size_t i = 0; !known && i < ARRAY_LEN(macros); i++) {
            size_t n = strlen(macros[i]);

            known = strncmp(line, macros[i], n) == 0 && (line[n] == ' ' || line[n] == '\n');
        }
        if (!known || (*line != '.' && len > 120))
            fail_msg("this line of the man page: %.*s", len, line);
        line += len + 1;
    }
}

static void
docs_bash__every_command__completes_each_of_its_options_and_no_other(void **state)
{
    size_t count;
    const struct option *table = options_table(&count);
    const char *options = strstr(bash.data, "_remora_options()");
    char start[80], line[4096], name[80];

    (void)state;
    assert_non_null(options);
    for (int id = COMMAND_NONE + 1; id < COMMAND_COUNT; id++) {
        (void)snprintf(start, sizeof(start), "%s) echo '", command_get((enum command_id)id)->name);
        find_line(options, start, line);
        for (size_t i = 0; i < count; i++) {
            (void)snprintf(name, sizeof(name), "--%s", table[i].name);
            if (has_word(line, name) != ((table[i].commands & (1u << id)) != 0))
                fail_msg("%s in the completion of %s", name, command_get((enum command_id)id)->name);
        }
    }
}

static void
docs_bash__options_with_values__are_known_as_such(void **state)
{
    size_t count;
    const struct option *table = options_table(&count);
    const char *takes = strstr(bash.data, "_remora_takes_value()"), *end = strstr(bash.data, "_remora_values()");
    char list[4096], name[80];

    (void)state;
    assert_true(takes != NULL && end > takes && (size_t)(end - takes) < sizeof(list));
    (void)snprintf(list, sizeof(list), "%.*s", (int)(end - takes), takes);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(name, sizeof(name), "--%s", table[i].name);
        if (has_word(list, name) != (table[i].kind != OPTION_FLAG))
            fail_msg("%s among the options that take a value", name);
    }
}

static void
docs_bash__choices__are_all_offered(void **state)
{
    size_t count;
    const struct option *table = options_table(&count);
    const char *values = strstr(bash.data, "_remora_values()");
    char start[80], line[4096], wanted[300];

    (void)state;
    for (size_t i = 0; i < count; i++) {
        if (table[i].kind != OPTION_CHOICE)
            continue;
        (void)snprintf(start, sizeof(start), "--%s) echo '", table[i].name);
        find_line(values, start, line);
        (void)snprintf(wanted, sizeof(wanted), "%s%s' ;;", start, table[i].value);
        for (char *p = wanted + strlen(start); *p != '\0'; p++)
            *p = *p == '|' ? ' ' : *p;
        assert_string_equal(line, wanted);
    }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(docs_man__every_option__is_there_with_its_variable),
        TEST(docs_man__every_command_and_status__is_there),
        TEST(docs_man__lines__are_short_and_none_is_a_request_by_accident),
        TEST(docs_bash__every_command__completes_each_of_its_options_and_no_other),
        TEST(docs_bash__options_with_values__are_known_as_such),
        TEST(docs_bash__choices__are_all_offered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
