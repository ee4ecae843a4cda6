/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <stdlib.h>
#include <string.h>

#include "agent/options.h"
#include "base/log.h"
#include "base/mem.h"

#define ARGV_MAX 12

/* What a test parses: writable copies of its words. */
struct line {
    struct config config;
    struct err err;
    char *argv[ARGV_MAX + 2];
    int argc;
    int rc;
};

static void
free_line(struct line *l)
{
    config_fini(&l->config);
    for (int i = 0; i < l->argc; i++)
        free(l->argv[i]);
    memset(l, 0, sizeof(*l));
}

/* Parse "remora" and the words, separated by single spaces, of TEXT. */
static void
parse(struct line *l, const char *text)
{
    free_line(l);
    l->argv[l->argc++] = mem_strdup("remora");
    while (*text != '\0') {
        size_t len = strcspn(text, " ");

        assert_true(l->argc <= ARGV_MAX);
        l->argv[l->argc++] = mem_strndup(text, len);
        text += len + (text[len] == ' ');
    }
    l->rc = options_parse(l->argc, l->argv, &l->config, &l->err);
}

static void
parse_ok(struct line *l, const char *text)
{
    parse(l, text);
    assert_ok(l->rc, &l->err);
}

/* The line is refused, with a sentence that holds WORDS. */
static void
parse_refused(struct line *l, const char *text, const char *words)
{
    parse(l, text);
    assert_int_equal(l->rc, -1);
    assert_int_equal(l->err.code, ERR_USAGE);
    if (strstr(l->err.msg, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", l->err.msg, words);
}

static int
set_up(void **state)
{
    size_t count;
    const struct option *table = options_table(&count);
    char env[OPTION_ENV_MAX];

    for (size_t i = 0; i < count; i++)
        (void)unsetenv(option_env(&table[i], env));
    (void)unsetenv("REDISCLI_AUTH");
    *state = mem_new(sizeof(struct line));
    return 0;
}

static int
tear_down(void **state)
{
    free_line(*state);
    free(*state);
    return 0;
}

static void
options_parse__nothing_given__has_the_documented_defaults(void **state)
{
    struct line *l = *state;

    parse_ok(l, "backup");
    assert_int_equal(l->config.command, COMMAND_BACKUP);
    assert_int_equal(l->config.memory, 64 << 20);
    assert_int_equal(l->config.jobs, 0);
    assert_int_equal(l->config.level, 2);
    assert_int_equal(l->config.timeout_ms, 3600000);
    assert_int_equal(l->config.method, METHOD_AUTO);
    assert_int_equal(l->config.allow_master, CONFIG_YES);
    assert_int_equal(l->config.log_level, LOG_INFO);
    assert_int_equal(l->config.log_format, LOG_TEXT);
    assert_null(l->config.repo);
    assert_null(l->config.instance);
    assert_null(l->config.redis_url);
    assert_false(l->config.json);
    parse_ok(l, "restore");
    assert_string_equal(l->config.backup, "latest");
    assert_null(l->config.dbfilename);
}

static void
options_parse__every_kind__is_understood(void **state)
{
    struct line *l = *state;

    parse_ok(l, "backup --json --repo /r --memory 1G --timeout 1h30m --jobs 3 --method file");
    assert_true(l->config.json);
    assert_string_equal(l->config.repo, "/r");
    assert_int_equal(l->config.memory, 1 << 30);
    assert_int_equal(l->config.timeout_ms, 5400000);
    assert_int_equal(l->config.jobs, 3);
    assert_int_equal(l->config.method, METHOD_FILE);
    parse_ok(l, "backup --redis-password-file=/p --json=no --log-level=error --log-format=json --progress=never");
    assert_string_equal(l->config.redis_password_file, "/p");
    assert_false(l->config.json);
    assert_int_equal(l->config.log_level, LOG_ERROR);
    assert_int_equal(l->config.log_format, LOG_JSON);
    assert_int_equal(l->config.progress, SHOW_NEVER);
}

static void
options_parse__repeated_option__is_a_list_in_order(void **state)
{
    struct line *l = *state;

    parse_ok(l, "--tag a=1 backup --tag=b=2");
    assert_int_equal(l->config.tags.count, 2);
    assert_string_equal(l->config.tags.items[0], "a=1");
    assert_string_equal(l->config.tags.items[1], "b=2");
}

static void
options_parse__single_option_twice__the_last_counts(void **state)
{
    struct line *l = *state;

    parse_ok(l, "--repo /a backup --repo /b");
    assert_string_equal(l->config.repo, "/b");
}

static void
options_parse__options_before_and_after_the_command__count_alike(void **state)
{
    struct line *l = *state;

    parse_ok(l, "--quick --repo /r verify 20260101T000000Z-0a1b2c --record no");
    assert_int_equal(l->config.command, COMMAND_VERIFY);
    assert_true(l->config.quick);
    assert_int_equal(l->config.record, RECORD_NO);
    assert_int_equal(l->config.arg_count, 1);
    assert_string_equal(l->config.args[0], "20260101T000000Z-0a1b2c");
}

static void
options_parse__double_dash__ends_the_options(void **state)
{
    struct line *l = *state;

    parse_ok(l, "show -- --all");
    assert_string_equal(l->config.args[0], "--all");
}

static void
options_parse__environment__fills_in_what_the_line_lacks(void **state)
{
    struct line *l = *state;

    assert_int_equal(setenv("REMORA_REPO", "/env", 1), 0);
    assert_int_equal(setenv("REMORA_INSTANCE", "from-env", 1), 0);
    assert_int_equal(setenv("REMORA_ALLOW_MASTER", "no", 1), 0);
    assert_int_equal(setenv("REMORA_CREATE", "true", 1), 0);
    assert_int_equal(setenv("REDISCLI_AUTH", "sesame", 1), 0);
    parse_ok(l, "backup --repo /line");
    assert_string_equal(l->config.repo, "/line");
    assert_string_equal(l->config.instance, "from-env");
    assert_int_equal(l->config.allow_master, CONFIG_NO);
    assert_true(l->config.create);
    assert_string_equal(l->config.redis_auth, "sesame");
}

static void
options_parse__empty_variable__counts_as_unset(void **state)
{
    struct line *l = *state;

    assert_int_equal(setenv("REMORA_INSTANCE", "", 1), 0);
    assert_int_equal(setenv("REMORA_MEMORY", "", 1), 0);
    assert_int_equal(setenv("REDISCLI_AUTH", "", 1), 0);
    parse_ok(l, "backup");
    assert_null(l->config.instance);
    assert_int_equal(l->config.memory, 64 << 20);
    assert_null(l->config.redis_auth);
}

static void
options_parse__list_in_the_environment__is_split_at_commas_and_the_line_wins(void **state)
{
    struct line *l = *state;

    assert_int_equal(setenv("REMORA_TAG", "a=1,b=2,", 1), 0);
    parse_ok(l, "backup");
    assert_int_equal(l->config.tags.count, 2);
    assert_string_equal(l->config.tags.items[1], "b=2");
    parse_ok(l, "backup --tag c=3");
    assert_int_equal(l->config.tags.count, 1);
    assert_string_equal(l->config.tags.items[0], "c=3");
}

static void
options_parse__variable_of_another_command__is_ignored(void **state)
{
    struct line *l = *state;

    assert_int_equal(setenv("REMORA_TARGET", "/data", 1), 0);
    assert_int_equal(setenv("REMORA_LEVEL", "not a number", 1), 0);
    parse_ok(l, "list");
    assert_null(l->config.target);
}

static void
options_parse__bad_variable__is_named(void **state)
{
    struct line *l = *state;

    assert_int_equal(setenv("REMORA_MEMORY", "lots", 1), 0);
    parse_refused(l, "backup", "REMORA_MEMORY: \"lots\" is not a size");
}

static void
options_parse__bad_values__are_named_with_their_option(void **state)
{
    struct line *l = *state;

    parse_refused(l, "backup --memory 64Q", "--memory: \"64Q\" is not a size");
    parse_refused(l, "backup --jobs two", "--jobs: \"two\" is not a whole number");
    parse_refused(l, "backup --jobs 0", "--jobs: \"0\" is not between 1 and 64");
    parse_refused(l, "backup --level 23", "--level: \"23\" is not between 1 and 22");
    parse_refused(l, "backup --timeout soon", "--timeout: \"soon\" is not a duration");
    parse_refused(l, "prune --keep-within 30", "--keep-within: \"30\" has no unit");
    parse_refused(l, "backup --timeout 5ms", "--timeout: \"5ms\" is too short");
    parse_refused(l, "backup --method bg", "--method: \"bg\" is none of auto|bgsave|psync|file");
    parse_refused(l, "backup --create=maybe", "--create: \"maybe\" is neither yes nor no");
    parse_refused(l, "backup --instance=", "--instance: the value is empty");
}

static void
options_parse__choice_that_is_the_start_of_a_word__is_refused(void **state)
{
    struct line *l = *state;

    parse_refused(l, "backup --method fil", "--method");
    parse_refused(l, "backup --method file|", "--method");
}

static void
options_parse__missing_value__is_asked_for(void **state)
{
    struct line *l = *state;

    parse_refused(l, "backup --repo", "--repo needs a value: --repo URL");
    parse_refused(l, "backup --repo --instance x", "--repo needs a value: --repo URL");
}

static void
options_parse__unknown_option__suggests_the_nearest(void **state)
{
    struct line *l = *state;

    parse_refused(l, "backup --instanse x", "there is no option --instanse; did you mean --instance?");
    parse_refused(l, "backup --data-dri=/d", "did you mean --data-dir?");
    parse_refused(l, "backup --frobnicate", "there is no option --frobnicate; `remora help backup` lists them");
    parse_refused(l, "backup -x", "there is no option -x");
}

static void
options_parse__unknown_command__suggests_the_nearest(void **state)
{
    struct line *l = *state;

    parse_refused(l, "bakup", "there is no command \"bakup\"; did you mean `remora backup`?");
    parse_refused(l, "conquer", "there is no command \"conquer\"; `remora help` lists them");
    parse_refused(l, "help bakup", "did you mean `remora backup`?");
    parse_refused(l, "--json", "no command was given");
}

static void
options_parse__option_of_another_command__is_refused_by_name(void **state)
{
    struct line *l = *state;

    parse_refused(l, "backup --target /d", "--target is an option of `remora restore`, not of `remora backup`");
    parse_refused(l, "--tag a=b list", "--tag is an option of `remora backup`, not of `remora list`");
    parse_refused(l, "version --repo /r", "--repo means nothing to `remora version`");
}

static void
options_parse__wrong_number_of_arguments__is_refused(void **state)
{
    struct line *l = *state;

    parse_refused(l, "backup now", "`remora backup` takes no argument \"now\"");
    parse_refused(l, "show", "`remora show` needs an argument: remora show ID|latest");
    parse_refused(l, "verify a b", "takes no argument \"b\"");
    parse_refused(l, "help a b c d e", "too many arguments");
}

static void
options_parse__mistake__keeps_how_to_tell_it(void **state)
{
    struct line *l = *state;

    parse_refused(l, "backup --bogus --json --log-format json", "--bogus");
    assert_true(l->config.json);
    assert_int_equal(l->config.log_format, LOG_JSON);
    assert_int_equal(setenv("REMORA_LOG_FORMAT", "json", 1), 0);
    parse_refused(l, "conquer", "conquer");
    assert_int_equal(l->config.log_format, LOG_JSON);
}

static void
options_parse__first_mistake__is_the_one_told(void **state)
{
    struct line *l = *state;

    parse_refused(l, "backup --bogus --method x", "--bogus");
}

static void
options_parse__help__is_a_command_with_a_topic(void **state)
{
    struct line *l = *state;

    parse_ok(l, "backup --help");
    assert_int_equal(l->config.command, COMMAND_HELP);
    assert_int_equal(l->config.topic, COMMAND_BACKUP);
    parse_ok(l, "show -h");
    assert_int_equal(l->config.topic, COMMAND_SHOW);
    parse_ok(l, "--help");
    assert_int_equal(l->config.command, COMMAND_HELP);
    assert_int_equal(l->config.topic, COMMAND_NONE);
    parse_ok(l, "help verify");
    assert_int_equal(l->config.topic, COMMAND_VERIFY);
    parse_ok(l, "");
    assert_int_equal(l->config.command, COMMAND_NONE);
}

static void
options_parse__password_in_a_url__is_kept_and_masked_in_argv(void **state)
{
    struct line *l = *state;

    parse_ok(l, "backup --redis-url redis://bob:s3cret@host:6379");
    assert_string_equal(l->config.redis_url, "redis://bob:s3cret@host:6379");
    assert_string_equal(l->argv[3], "redis://bob:******@host:6379");
    parse_ok(l, "backup --redis-url=unix://:p/@s@/run/redis.sock");
    assert_string_equal(l->config.redis_url, "unix://:p/@s@/run/redis.sock");
    assert_string_equal(l->argv[2], "--redis-url=unix://:****@/run/redis.sock");
    parse_ok(l, "backup --redis-url redis://lonely@host");
    assert_string_equal(l->argv[3], "redis://******@host");
}

static void
options_parse__password_in_the_wrong_place__is_not_repeated(void **state)
{
    struct line *l = *state;

    parse_refused(l, "backup redis://:s3cret@host", "takes no argument");
    assert_null(strstr(l->err.msg, "s3cret"));
    parse_refused(l, "redis://:s3cret@host", "there is no command");
    assert_null(strstr(l->err.msg, "s3cret"));
    parse_refused(l, "--redis-ulr=redis://:s3cret@host", "did you mean --redis-url?");
    assert_null(strstr(l->err.msg, "s3cret"));
}

static void
option_env__is_derived_from_the_name(void **state)
{
    size_t count;
    const struct option *table = options_table(&count);
    char env[OPTION_ENV_MAX];

    (void)state;
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].name, "redis-password-file") == 0)
            assert_string_equal(option_env(&table[i], env), "REMORA_REDIS_PASSWORD_FILE");
}

static void
options_table__every_entry__is_sound(void **state)
{
    size_t count;
    const struct option *table = options_table(&count);

    (void)state;
    assert_true(count > 20);
    for (size_t i = 0; i < count; i++) {
        const struct option *o = &table[i];

        assert_true(o->commands != 0 && *o->help != '\0');
        assert_true((o->kind == OPTION_FLAG) == (o->value == NULL));
        if (o->kind == OPTION_NUMBER || o->kind == OPTION_SIZE)
            assert_true(o->max > o->min);
        if (o->kind == OPTION_CHOICE)
            assert_non_null(o->preset); /* an unset choice would be its first word by accident */
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(table[k].name, o->name);
    }
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(options_parse__nothing_given__has_the_documented_defaults),
        TEST(options_parse__every_kind__is_understood),
        TEST(options_parse__repeated_option__is_a_list_in_order),
        TEST(options_parse__single_option_twice__the_last_counts),
        TEST(options_parse__options_before_and_after_the_command__count_alike),
        TEST(options_parse__double_dash__ends_the_options),
        TEST(options_parse__environment__fills_in_what_the_line_lacks),
        TEST(options_parse__empty_variable__counts_as_unset),
        TEST(options_parse__list_in_the_environment__is_split_at_commas_and_the_line_wins),
        TEST(options_parse__variable_of_another_command__is_ignored),
        TEST(options_parse__bad_variable__is_named),
        TEST(options_parse__bad_values__are_named_with_their_option),
        TEST(options_parse__choice_that_is_the_start_of_a_word__is_refused),
        TEST(options_parse__missing_value__is_asked_for),
        TEST(options_parse__unknown_option__suggests_the_nearest),
        TEST(options_parse__unknown_command__suggests_the_nearest),
        TEST(options_parse__option_of_another_command__is_refused_by_name),
        TEST(options_parse__wrong_number_of_arguments__is_refused),
        TEST(options_parse__mistake__keeps_how_to_tell_it),
        TEST(options_parse__first_mistake__is_the_one_told),
        TEST(options_parse__help__is_a_command_with_a_topic),
        TEST(options_parse__password_in_a_url__is_kept_and_masked_in_argv),
        TEST(options_parse__password_in_the_wrong_place__is_not_repeated),
        TEST(option_env__is_derived_from_the_name),
        TEST(options_table__every_entry__is_sound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
