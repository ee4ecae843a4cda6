/* SPDX-License-Identifier: Apache-2.0 */
/* The dump on a volume, and the source `file` that is little more than it. */
#include "tests/support/test_common.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "snapshot/redis/dump_file.h"
#include "snapshot/redis/source_file.h"

static char dir[256], dump[300];

static int
make_dir(void **state)
{
    (void)state;
    test_make_dir(dir);
    (void)snprintf(dump, sizeof(dump), "%s/dump.rdb", dir);
    return 0;
}

static int
remove_dir(void **state)
{
    (void)state;
    test_remove_dir(dir);
    return 0;
}

static void
write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct err err = ERR_INIT;

    assert_true(fd >= 0);
    assert_ok(file_write_all(fd, text, strlen(text), &err), &err);
    (void)close(fd);
}

static void
dump_stamp_take__replaced_by_rename__differs(void **state)
{
    struct dump_stamp a, b, c;
    struct err err = ERR_INIT;
    char temp[300];

    (void)state;
    (void)snprintf(temp, sizeof(temp), "%s/temp-1.rdb", dir);
    assert_ok(dump_stamp_take(dump, &a, &err), &err);
    assert_false(a.exists);
    write_file(dump, "REDIS0010");
    assert_ok(dump_stamp_take(dump, &b, &err), &err);
    assert_true(b.exists);
    assert_int_equal(b.size, 9);
    assert_false(dump_stamp_equal(&a, &b));
    assert_ok(dump_stamp_take(dump, &a, &err), &err);
    assert_true(dump_stamp_equal(&a, &b));
    write_file(temp, "REDIS0010");
    assert_int_equal(rename(temp, dump), 0);
    assert_ok(dump_stamp_take(dump, &c, &err), &err);
    assert_false(dump_stamp_equal(&b, &c));
}

static void
dump_stamp_take__no_folder__is_usage_and_named(void **state)
{
    struct dump_stamp stamp;
    struct err err = ERR_INIT;
    char path[400];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/nothing/dump.rdb", dir);
    assert_int_equal(dump_stamp_take(path, &stamp, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.msg, "/nothing cannot be used"));
    write_file(dump, "REDIS0010");
    (void)snprintf(path, sizeof(path), "%s/.", dump);
    assert_int_equal(dump_stamp_take(path, &stamp, &err), -1);
    assert_non_null(strstr(err.msg, "dump.rdb is not a folder"));
}

static void
dump_check_space__more_than_there_is__is_refused_with_figures(void **state)
{
    struct dump_stamp none = {0}, small = {.exists = true, .size = 1000};
    struct dump_stamp huge = {.exists = true, .size = UINT64_MAX / 4};
    struct err err = ERR_INIT;
    char leftover[300];

    (void)state;
    assert_ok(dump_check_space(dump, &none, 1000, &err), &err);
    assert_ok(dump_check_space(dump, &small, UINT64_MAX / 4, &err), &err); /* the last dump counts, not the memory */
    assert_false(dump_is_space_short(dump, &small, UINT64_MAX / 4));
    assert_int_equal(dump_check_space(dump, &none, UINT64_MAX / 4, &err), -1);
    assert_int_equal(err.code, ERR_NO_SPACE);
    assert_non_null(strstr(err.msg, "4.00 EiB"));
    assert_non_null(strstr(err.msg, "MISCONF"));
    assert_non_null(strstr(err.msg, dump));
    assert_null(strstr(err.msg, "temp-"));
    (void)snprintf(leftover, sizeof(leftover), "%s/temp-77.rdb", dir);
    write_file(leftover, "x");
    assert_int_equal(dump_check_space(dump, &huge, 0, &err), -1);
    assert_non_null(strstr(err.msg, "4.80 EiB"));
    assert_non_null(strstr(err.msg, "temp-77.rdb"));
    assert_true(dump_is_space_short(dump, &huge, 0));
}

static void
dump_list_leftovers__only_what_killed_saves_leave(void **state)
{
    static const char *const names[] = {
        "temp-12.rdb", "temp-1795381461.12.rdb", "temp-.rdb", "temp-x.rdb", "temp-12.aof",
        "dump.rdb",    "temp-12.rdb.bak"};
    char path[400], out[256];

    (void)state;
    assert_int_equal(dump_list_leftovers(dump, out, sizeof(out)), 0);
    assert_string_equal(out, "");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        write_file(path, "x");
    }
    assert_int_equal(dump_list_leftovers(dump, out, sizeof(out)), 2);
    assert_non_null(strstr(out, "temp-12.rdb"));
    assert_non_null(strstr(out, "temp-1795381461.12.rdb"));
    assert_int_equal(strlen(out), strlen("temp-12.rdb, temp-1795381461.12.rdb"));
    assert_int_equal(dump_list_leftovers(dump, out, 16), 2); /* counted even where they do not fit */
    assert_true(strlen(out) < 16);
}

static void
dump_open__not_a_dump__says_what_it_is(void **state)
{
    static const struct {
        const char *bytes;
        enum err_code code;
    } cases[] = {{"", ERR_CORRUPT},          {"REDIS", ERR_CORRUPT},     {"REDIS00x0", ERR_CORRUPT},
                 {"VALKEYab0", ERR_CORRUPT}, {"redis0010", ERR_CORRUPT}, {"REDIS0010", ERR_NONE},
                 {"VALKEY080", ERR_NONE}};
    struct err err = ERR_INIT;
    struct dump_file f;
    char path[300];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        write_file(dump, cases[i].bytes);
        if (cases[i].code == ERR_NONE)
            assert_ok(dump_open(dump, &f, &err), &err);
        else
            assert_fails(dump_open(dump, &f, &err), &err, cases[i].code);
        dump_close(&f);
        dump_close(&f);
    }
    assert_fails(dump_open(dir, &f, &err), &err, ERR_USAGE);
    (void)snprintf(path, sizeof(path), "%s/none", dir);
    assert_fails(dump_open(path, &f, &err), &err, ERR_USAGE);
    (void)snprintf(path, sizeof(path), "%s/pipe", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_fails(dump_open(path, &f, &err), &err, ERR_USAGE);
}

/* In a child of another user: does opening say who would be allowed to? Root may read everything, so the test steps
 * down; any other user is refused by mode 0. */
static _Noreturn void
open_as_nobody(int out)
{
    struct err err = ERR_INIT;
    struct dump_file f;

    if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
        _exit(2);
    if (dump_check_readable(dump, &err) == 0 || err.code != ERR_USAGE)
        _exit(3);
    if (dump_open(dump, &f, &err) == 0 || err.code != ERR_USAGE)
        _exit(4);
    if (write(out, err.msg, strlen(err.msg)) < 0)
        _exit(5);
    _exit(0);
}

static void
dump_open__not_allowed__names_owner_mode_and_us(void **state)
{
    char text[1200] = "", expected[128];
    int p[2], status = 0;
    pid_t pid;

    (void)state;
    write_file(dump, "REDIS0010");
    assert_int_equal(chmod(dir, 0755), 0);
    assert_int_equal(chmod(dump, 0), 0);
    assert_int_equal(pipe(p), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        open_as_nobody(p[1]);
    (void)close(p[1]);
    assert_true(read(p[0], text, sizeof(text) - 1) > 0);
    (void)close(p[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    (void)snprintf(expected, sizeof(expected), "which belongs to %u:%u with mode 0000, as uid %u", geteuid(), getegid(),
                   geteuid() == 0 ? 65534 : geteuid());
    if (strstr(text, expected) == NULL)
        fail_msg("%s: no \"%s\"", text, expected);
    assert_non_null(strstr(text, "fsGroup"));
}

/* Read SRC to its end; returns how many bytes came. */
static size_t
read_all(struct source *src)
{
    struct err err = ERR_INIT;
    size_t total = 0, got = 1;
    char buf[4];

    while (got > 0) {
        assert_ok(source_read(src, buf, sizeof(buf), &got, &err), &err);
        total += got;
    }
    return total;
}

static void
source_file__read_and_unchanged__is_confirmed(void **state)
{
    struct rdb_info found = {.ctime_s = -1};
    struct err err = ERR_INIT;
    struct source *src = NULL;
    struct stat st;

    (void)state;
    write_file(dump, "REDIS0010 and more");
    assert_int_equal(stat(dump, &st), 0);
    assert_ok(source_file_open(dump, &src, &err), &err);
    assert_string_equal(src->ops->name, "file");
    assert_false(src->facts.known);
    assert_int_equal(src->snapshot_ms, 0);
    assert_int_equal(src->snapshot_fallback_ms / 1000, st.st_mtim.tv_sec);
    assert_int_equal(src->size, 18);
    assert_int_equal(read_all(src), 18);
    assert_ok(source_confirm(src, &found, &err), &err);
    source_free(src);
    source_free(NULL);
}

static void
source_file__replaced_while_read__keeps_the_old_one(void **state)
{
    struct rdb_info found = {.ctime_s = -1};
    struct err err = ERR_INIT;
    struct source *src = NULL;
    char temp[300];

    (void)state;
    (void)snprintf(temp, sizeof(temp), "%s/temp-1.rdb", dir);
    write_file(dump, "REDIS0010 old");
    assert_ok(source_file_open(dump, &src, &err), &err);
    write_file(temp, "REDIS0010 new and longer");
    assert_int_equal(rename(temp, dump), 0);
    assert_int_equal(read_all(src), 13);
    assert_ok(source_confirm(src, &found, &err), &err);
    source_free(src);
}

static void
source_file__written_to_while_read__is_refused(void **state)
{
    static const char *const later[] = {"REDIS0010 grown to be longer", "REDIS0010", "REDIS0010 and m0re"};
    struct rdb_info found = {.ctime_s = -1};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(later); i++) {
        struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
        struct err err = ERR_INIT;
        struct source *src = NULL;

        write_file(dump, "REDIS0010 and more");
        assert_int_equal(utimensat(AT_FDCWD, dump, old, 0), 0);
        assert_ok(source_file_open(dump, &src, &err), &err);
        write_file(dump, later[i]);
        (void)read_all(src);
        assert_fails(source_confirm(src, &found, &err), &err, ERR_REFUSED);
        source_free(src);
    }
}

static void
source_file__not_read_to_the_end__is_refused(void **state)
{
    struct rdb_info found = {.ctime_s = -1};
    struct err err = ERR_INIT;
    struct source *src = NULL;
    size_t got = 0;
    char buf[4];

    (void)state;
    write_file(dump, "REDIS0010 and more");
    assert_ok(source_file_open(dump, &src, &err), &err);
    assert_ok(source_read(src, buf, sizeof(buf), &got, &err), &err);
    assert_fails(source_confirm(src, &found, &err), &err, ERR_REFUSED);
    source_free(src);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(dump_stamp_take__replaced_by_rename__differs, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(dump_stamp_take__no_folder__is_usage_and_named, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(dump_check_space__more_than_there_is__is_refused_with_figures, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(dump_list_leftovers__only_what_killed_saves_leave, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(dump_open__not_a_dump__says_what_it_is, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(dump_open__not_allowed__names_owner_mode_and_us, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(source_file__read_and_unchanged__is_confirmed, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(source_file__replaced_while_read__keeps_the_old_one, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(source_file__written_to_while_read__is_refused, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(source_file__not_read_to_the_end__is_refused, make_dir, remove_dir),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
