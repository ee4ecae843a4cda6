/* SPDX-License-Identifier: Apache-2.0 */
/* test_check_server.c: a scripted server with every kind of rights and manners; and that nothing is asked of it that
 * changes anything. */
#include "snapshot/check/check_server.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/check_case.h"
#include "tests/support/fake_redis.h"
#include "tests/support/test_common.h"

#define NOPERM  "-NOPERM this user has no permissions to run this command\r\n"
#define UNKNOWN "-ERR unknown command\r\n"

/* How the server behaves; NULL: as a healthy Redis 7. */
static struct manners {
    const char *ping, *info, *role, *config, *lastsave, *whoami;
    const char *dry_run_bgsave, *dry_run; /* ACL DRYRUN */
    const char *command_info;
    bool hangs_up_on_info;

    char seen[4096]; /* the commands, for the test to read once the server was stopped */
} manners;
static struct check check;

static const char *
dry_run_answer(const struct reply *command)
{
    if (command->count > 3 && fake_redis_word_is(command, 3, "BGSAVE") && manners.dry_run_bgsave != NULL)
        return manners.dry_run_bgsave;
    return manners.dry_run != NULL ? manners.dry_run : "+OK\r\n";
}

static const char *
or_else(const char *special, const char *usual)
{
    return special != NULL ? special : usual;
}

static void
note(const struct reply *command)
{
    size_t room = sizeof(manners.seen) - strlen(manners.seen) - 1;

    (void)strncat(manners.seen, command->elements[0]->text, room);
    (void)strncat(manners.seen, " ", sizeof(manners.seen) - strlen(manners.seen) - 1);
}

static void
answer(const struct reply *command, struct fake_answer *a, void *cookie)
{
    (void)cookie;
    note(command);
    if (fake_redis_word_is(command, 0, "PING"))
        fake_answer_raw(a, or_else(manners.ping, "+PONG\r\n"));
    else if (fake_redis_word_is(command, 0, "ACL") && fake_redis_word_is(command, 1, "WHOAMI"))
        fake_answer_raw(a, or_else(manners.whoami, "$4\r\nanna\r\n"));
    else if (fake_redis_word_is(command, 0, "ACL"))
        fake_answer_raw(a, dry_run_answer(command));
    else if (fake_redis_word_is(command, 0, "COMMAND"))
        fake_answer_raw(a, or_else(manners.command_info, "*1\r\n*1\r\n$6\r\nbgsave\r\n"));
    else if (fake_redis_word_is(command, 0, "INFO") && manners.info != NULL)
        fake_answer_raw(a, manners.info);
    else if (fake_redis_word_is(command, 0, "INFO"))
        fake_answer_bulk(a, "redis_version:7.0.15\r\nrole:master\r\nrdb_last_bgsave_status:ok\r\nused_memory:1000\r\n");
    else if (fake_redis_word_is(command, 0, "LASTSAVE"))
        fake_answer_raw(a, or_else(manners.lastsave, ":1\r\n"));
    else if (fake_redis_word_is(command, 0, "ROLE"))
        fake_answer_raw(a, or_else(manners.role, "*1\r\n$6\r\nmaster\r\n"));
    else if (fake_redis_word_is(command, 0, "CONFIG"))
        fake_answer_raw(a, or_else(manners.config, "*2\r\n$1\r\nx\r\n$2\r\nno\r\n"));
    else
        fake_answer_raw(a, "-ERR what?\r\n");
    a->hang_up = manners.hangs_up_on_info && fake_redis_word_is(command, 0, "INFO");
}

static int
set_up(void **state)
{
    (void)state;
    memset(&manners, 0, sizeof(manners));
    memset(&check, 0, sizeof(check));
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    check_fini(&check);
    return 0;
}

/* Check that server; none of the commands that change or burden it may come. */
static void
run(const char *data_dir)
{
    struct fake_redis *server = fake_redis_start(answer, NULL);
    struct endpoint endpoint;

    check_fini(&check);
    fake_redis_endpoint(server, &endpoint);
    check_server(&check, &endpoint, data_dir, NULL);
    endpoint_fini(&endpoint);
    fake_redis_stop(server);
    assert_null(strstr(manners.seen, "BGSAVE "));
    assert_null(strstr(manners.seen, "PSYNC "));
    assert_null(strstr(manners.seen, "REPLCONF "));
}

static void
check_server__all_allowed__every_command_is_ok(void **state)
{
    static const char *const rows[] = {"reachable",
                                       "auth",
                                       "command-ping",
                                       "command-info",
                                       "command-bgsave",
                                       "command-psync",
                                       "command-replconf",
                                       "command-lastsave",
                                       "command-role",
                                       "version",
                                       "role",
                                       "memory"};

    (void)state;
    run(NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_case_is(&check, rows[i], CHECK_OK, "");
    check_case_is(&check, "auth", CHECK_OK, "anna");
    check_case_is(&check, "rdbchecksum", CHECK_WARN, "");
    check_case_is(&check, "overcommit", check_case_row(&check, "overcommit")->verdict, "vm.overcommit_memory");
    assert_null(check_gravest(&check));
}

static void
check_server__bgsave_forbidden__fails_only_where_bgsave_is_the_way(void **state)
{
    char dir[256];

    (void)state;
    test_make_dir(dir);
    manners.dry_run_bgsave = "$4\r\nnope\r\n";
    run(NULL);
    check_case_is(&check, "command-bgsave", CHECK_OK, "not needed");
    run(dir);
    check_case_failed(&check, "command-bgsave", ERR_SERVER_DENIED, "may not");
    assert_string_equal(check_case_row(&check, "command-bgsave")->remedy, "ACL SETUSER anna +bgsave");
    manners.dry_run_bgsave = "-ERR Command 'bgsave' not found\r\n";
    run(dir);
    check_case_failed(&check, "command-bgsave", ERR_SERVER_DENIED, "no such command");
    test_remove_dir(dir);
}

static void
check_server__psync_forbidden__fails_only_where_psync_is_the_way(void **state)
{
    char dir[256];

    (void)state;
    test_make_dir(dir);
    manners.dry_run = "$4\r\nnope\r\n";
    manners.dry_run_bgsave = "+OK\r\n";
    run(dir);
    check_case_is(&check, "command-psync", CHECK_OK, "not needed");
    run(NULL);
    check_case_failed(&check, "command-psync", ERR_SERVER_DENIED, "psync needs it");
    check_case_failed(&check, "command-replconf", ERR_SERVER_DENIED, "psync needs it");
    test_remove_dir(dir);
}

static void
check_server__may_not_ask__is_not_known(void **state)
{
    (void)state;
    manners.dry_run = NOPERM;
    manners.command_info = NOPERM;
    manners.whoami = NOPERM;
    run(NULL);
    check_case_is(&check, "auth", CHECK_OK, "default");
    check_case_is(&check, "command-psync", CHECK_WARN, "not known");
    check_case_is(&check, "command-bgsave", CHECK_OK, "not known");
    manners.command_info = "*1\r\n$-1\r\n"; /* but it may ask whether there is such a command */
    run(NULL);
    check_case_failed(&check, "command-psync", ERR_SERVER_DENIED, "no such command");
    manners.command_info = "*1\r\n*0\r\n"; /* as Valkey tells it in some versions */
    run(NULL);
    check_case_failed(&check, "command-psync", ERR_SERVER_DENIED, "no such command");
}

static void
check_server__an_unknown_user_in_a_dry_run__is_not_a_missing_command(void **state)
{
    (void)state;
    manners.dry_run = "-ERR User 'anna' not found\r\n";
    run(NULL);
    check_case_is(&check, "command-psync", CHECK_WARN, "not known");
}

static void
check_server__no_users_at_all__the_command_table_says_it(void **state)
{
    (void)state;
    manners.whoami = UNKNOWN;
    manners.dry_run = UNKNOWN;
    run(NULL);
    check_case_is(&check, "command-psync", CHECK_OK, "allowed");
}

static void
check_server__denied_questions__cost_rows_and_nothing_else(void **state)
{
    char dir[256];

    (void)state;
    test_make_dir(dir);
    manners.info = NOPERM;
    manners.config = NOPERM;
    manners.role = UNKNOWN;
    manners.lastsave = NOPERM;
    run(NULL);
    check_case_is(&check, "command-info", CHECK_WARN, "does not learn the server's version");
    check_case_is(&check, "command-config-get", CHECK_WARN, "dump.rdb");
    check_case_is(&check, "command-role", CHECK_WARN, "no such command");
    check_case_is(&check, "command-lastsave", CHECK_OK, "not needed");
    check_case_lacks(&check, "version");
    check_case_lacks(&check, "rdbcompression");
    assert_null(check_gravest(&check));
    run(dir);
    check_case_failed(&check, "command-info", ERR_SERVER_DENIED, "bgsave needs it");
    check_case_is(&check, "folder", CHECK_OK, "");
    check_case_lacks(&check, "same-folder");
    test_remove_dir(dir);
}

static void
check_server__loading__is_no_matter_of_rights(void **state)
{
    (void)state;
    manners.ping = "-LOADING Redis is loading the dataset in memory\r\n";
    manners.lastsave = manners.ping;
    run(NULL);
    check_case_is(&check, "command-ping", CHECK_OK, "allowed");
    check_case_is(&check, "command-lastsave", CHECK_OK, "allowed");
}

static void
check_server__let_nobody_in__ends_there(void **state)
{
    static const char *const answers[] = {"-NOAUTH Authentication required.\r\n",
                                          "-DENIED Redis is running in ...\r\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        manners.ping = answers[i];
        run(NULL);
        check_case_is(&check, "reachable", CHECK_OK, "");
        check_case_failed(&check, "auth", ERR_SERVER_DENIED, "");
        check_case_lacks(&check, "command-info");
    }
}

static void
check_server__lost_in_the_middle__is_told_once(void **state)
{
    (void)state;
    manners.info = "$100\r\nhalf";
    manners.hangs_up_on_info = true;
    run(NULL);
    check_case_failed(&check, "connection", ERR_SERVER, "closed the connection");
    check_case_lacks(&check, "command-bgsave");
    check_case_lacks(&check, "version");
}

static void
check_server__a_sentinel__is_none(void **state)
{
    (void)state;
    manners.info = "$21\r\nredis_mode:sentinel\r\n\r\n";
    run(NULL);
    check_case_failed(&check, "version", ERR_USAGE, "Sentinel");
    check_case_lacks(&check, "memory");
}

static void
check_server__nobody_there__the_folder_is_looked_at_all_the_same(void **state)
{
    struct endpoint endpoint;
    struct err err = ERR_INIT;
    char dir[256], url[300];

    (void)state;
    test_make_dir(dir);
    (void)snprintf(url, sizeof(url), "unix://%s/none", dir);
    assert_ok(endpoint_parse(url, &endpoint, &err), &err);
    check_server(&check, &endpoint, dir, NULL);
    check_case_failed(&check, "reachable", ERR_SERVER, "none");
    check_case_is(&check, "folder", CHECK_OK, dir);
    endpoint_fini(&endpoint);
    test_remove_dir(dir);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(check_server__all_allowed__every_command_is_ok),
        TEST(check_server__bgsave_forbidden__fails_only_where_bgsave_is_the_way),
        TEST(check_server__psync_forbidden__fails_only_where_psync_is_the_way),
        TEST(check_server__may_not_ask__is_not_known),
        TEST(check_server__an_unknown_user_in_a_dry_run__is_not_a_missing_command),
        TEST(check_server__no_users_at_all__the_command_table_says_it),
        TEST(check_server__denied_questions__cost_rows_and_nothing_else),
        TEST(check_server__loading__is_no_matter_of_rights),
        TEST(check_server__let_nobody_in__ends_there),
        TEST(check_server__lost_in_the_middle__is_told_once),
        TEST(check_server__a_sentinel__is_none),
        TEST(check_server__nobody_there__the_folder_is_looked_at_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
