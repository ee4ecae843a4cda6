/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "snapshot/redis/server_program.h"

static char root[256];
static char *path_before;

static int
set_up(void **state)
{
    (void)state;
    test_make_dir(root);
    path_before = mem_strdup(getenv("PATH"));
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    (void)setenv("PATH", path_before, 1);
    free(path_before);
    test_remove_dir(root);
    return 0;
}

static void
put(const char *name, mode_t mode)
{
    struct err err = ERR_INIT;
    char *path = mem_printf("%s/%s", root, name);
    char *slash = strrchr(path, '/');
    FILE *f;

    *slash = '\0';
    assert_ok(file_make_dirs(AT_FDCWD, path, 0700, &err), &err);
    *slash = '/';
    f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
    free(path);
}

/* PATH becomes LIST, in which % is the test's folder. */
static void
use_path(const char *list)
{
    char path[2000] = "";

    for (; *list != '\0'; list++)
        (void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "%.*s", *list == '%' ? 255 : 1,
                       *list == '%' ? root : list);
    assert_int_equal(setenv("PATH", path, 1), 0);
}

static void
finds(const char *given, const char *kind, const char *want)
{
    struct err err = ERR_INIT;
    char *found = server_program_find(given, kind, &err), *full = mem_printf("%s/%s", root, want);

    if (found == NULL)
        fail_msg("%s", err.msg);
    assert_string_equal(found, full);
    free(found);
    free(full);
}

static void
finds_none(const char *given, const char *words)
{
    struct err err = ERR_INIT;

    assert_null(server_program_find(given, "redis", &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.msg, words));
}

static void
server_program_find__in_the_path__the_kind_comes_first(void **state)
{
    (void)state;
    put("a/redis-server", 0755);
    put("b/valkey-server", 0755);
    put("b/redis-server", 0755);
    use_path("%/none:%/a:%/b");
    finds(NULL, "", "b/valkey-server");
    finds(NULL, "valkey", "b/valkey-server");
    finds(NULL, "redis", "a/redis-server");
    use_path("%/a");
    finds(NULL, "valkey", "a/redis-server");
}

static void
server_program_find__not_to_be_run__passed_over(void **state)
{
    (void)state;
    put("a/redis-server/file", 0755); /* a folder of that name */
    put("b/redis-server", 0644);
    put("c/redis-server", 0755);
    use_path("%/a:%/b:%/c:");
    finds(NULL, "redis", "c/redis-server");
    assert_int_equal(chdir(root), 0);
    use_path("c:./c::"); /* relative to wherever we are: never */
    finds_none(NULL, "--server-binary");
    assert_int_equal(chdir("/"), 0);
    use_path("");
    finds_none(NULL, "install one");
    assert_int_equal(unsetenv("PATH"), 0);
    finds_none(NULL, "install one");
}

/* The name decides what Debian's program does: a link to it stays a link. */
static void
server_program_find__given__that_one_links_not_followed(void **state)
{
    char link[300];

    (void)state;
    put("redis-check-rdb", 0755);
    (void)snprintf(link, sizeof(link), "%s/redis-server", root);
    assert_int_equal(symlink("redis-check-rdb", link), 0);
    finds(link, "", "redis-server");
    assert_int_equal(chdir(root), 0);
    finds("redis-server", "", "redis-server");
    assert_int_equal(chdir("/"), 0);
}

static void
server_program_find__given_and_none__says_why(void **state)
{
    char path[300];

    (void)state;
    finds_none("/no/such/program", "No such file");
    finds_none(root, "--server-binary");
    put("text", 0644);
    (void)snprintf(path, sizeof(path), "%s/text", root);
    finds_none(path, "Permission denied");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(server_program_find__in_the_path__the_kind_comes_first),
        TEST(server_program_find__not_to_be_run__passed_over),
        TEST(server_program_find__given__that_one_links_not_followed),
        TEST(server_program_find__given_and_none__says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
