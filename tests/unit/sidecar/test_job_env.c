/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <stdlib.h>
#include <string.h>

#include "agent/options.h"
#include "agent/sidecar/job_env.h"
#include "base/mem.h"

#define WORDS_MAX 20

/* What `remora agent` with these words hands to a job, all in one text. */
static char *
handed(enum work kind, const char *const *words)
{
    struct err err = ERR_INIT;
    struct config config;
    struct job_env e;
    char *argv[WORDS_MAX], *text = mem_strdup(""), *longer;
    int argc = 0;

    argv[argc++] = mem_strdup("remora");
    argv[argc++] = mem_strdup("agent");
    for (; *words != NULL; words++)
        argv[argc++] = mem_strdup(*words);
    assert_ok(options_parse(argc, argv, &config, &err), &err);
    job_env_init(&e, &config, kind);
    for (size_t i = 0; i < e.word_count + e.env_count; i++) {
        longer = mem_printf("%s%s\n", text, i < e.word_count ? e.words[i] : e.env[i - e.word_count]);
        free(text);
        text = longer;
    }
    assert_null(e.words[e.word_count]);
    assert_null(e.env[e.env_count]);
    job_env_fini(&e);
    config_fini(&config);
    while (argc > 0)
        free(argv[--argc]);
    return text;
}

#define expect(kind, expected, ...)                                                                                    \
    do {                                                                                                               \
        char *text = handed(kind, (const char *const[]){__VA_ARGS__, NULL});                                           \
                                                                                                                       \
        assert_string_equal(text, expected);                                                                           \
        free(text);                                                                                                    \
    } while (0)

static void
job_env_init__options_of_all_kinds__each_command_gets_its_own(void **state)
{
#define GIVEN                                                                                                          \
    "--repo", "/backups", "--instance=shop", "--redis-url", "redis://u:secret@db", "--level", "3", "--keep-last", "4", \
        "--listen", "127.0.0.1:0", "--load", "--level=5", "--backup-schedule", "@daily"
    (void)state;
    expect(WORK_BACKUP,
           "backup\nREMORA_JSON=yes\nREMORA_REPO=/backups\nREMORA_INSTANCE=shop\n"
           "REMORA_REDIS_URL=redis://u:secret@db\nREMORA_LEVEL=5\n",
           GIVEN);
    expect(WORK_VERIFY,
           "verify\nlatest\nREMORA_JSON=yes\nREMORA_REPO=/backups\nREMORA_INSTANCE=shop\n"
           "REMORA_REDIS_URL=redis://u:secret@db\nREMORA_LOAD=yes\n",
           GIVEN);
    expect(WORK_PRUNE,
           "prune\n--apply\nREMORA_JSON=yes\nREMORA_REPO=/backups\nREMORA_INSTANCE=shop\n"
           "REMORA_REDIS_URL=redis://u:secret@db\nREMORA_KEEP_LAST=4\n",
           GIVEN);
}

static void
job_env_init__sample__verify_names_no_backup(void **state)
{
    (void)state;
    expect(WORK_VERIFY, "verify\nREMORA_JSON=yes\nREMORA_SAMPLE=3\n", "--sample", "3");
}

static void
job_env_init__flag_with_a_value__keeps_it(void **state)
{
    (void)state;
    expect(WORK_BACKUP, "backup\nREMORA_JSON=yes\nREMORA_ALLOW_UNPARSED=no\n", "--allow-unparsed=no");
}

static void
job_env_init__list__is_joined_or_goes_by_words(void **state)
{
    (void)state;
    expect(WORK_BACKUP, "backup\nREMORA_JSON=yes\nREMORA_TAG=a=1,b=2\n", "--tag", "a=1", "--tag", "b=2");
    expect(WORK_BACKUP, "backup\n--tag=a=1\n--tag=b=2,3\nREMORA_JSON=yes\n", "--tag", "a=1", "--tag", "b=2,3");
}

static void
job_env_init__in_the_agents_environment_only__is_left_to_inheritance(void **state)
{
    (void)state;
    assert_int_equal(setenv("REMORA_LEVEL", "7", 1), 0);
    expect(WORK_BACKUP, "backup\nREMORA_JSON=yes\nREMORA_REPO=r\n", "--repo", "r");
    assert_int_equal(unsetenv("REMORA_LEVEL"), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job_env_init__options_of_all_kinds__each_command_gets_its_own),
        cmocka_unit_test(job_env_init__sample__verify_names_no_backup),
        cmocka_unit_test(job_env_init__flag_with_a_value__keeps_it),
        cmocka_unit_test(job_env_init__list__is_joined_or_goes_by_words),
        cmocka_unit_test(job_env_init__in_the_agents_environment_only__is_left_to_inheritance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
