/* SPDX-License-Identifier: Apache-2.0 */
/* test_throwaway_server.c: a real server started on a folder: what it loads, how it fails, and that nothing of it is
 * left, whoever ends it. */
#include "tests/support/test_common.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/sig.h"
#include "snapshot/redis/client.h"
#include "snapshot/redis/info.h"
#include "snapshot/redis/server_program.h"
#include "snapshot/redis/throwaway_server.h"
#include "tests/support/rdb_build.h"
#include "tests/support/test_child.h"

/* ---- the scene: a folder, and a program in it or a real one ---- */

static char root[256];
static char *program;
static int folder_fd = -1;

static int
set_up(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    test_make_dir(root);
    folder_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    program = server_program_find(getenv("REMORA_TEST_SERVER"), "redis", &err);
    assert_non_null(program);
    return folder_fd >= 0 ? 0 : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    (void)close(folder_fd);
    free(program);
    test_remove_dir(root);
    return 0;
}

/* How many processes work in the folder: this test does not. */
static unsigned
processes_here(void)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;
    unsigned count = 0;

    assert_non_null(proc);
    while ((entry = readdir(proc)) != NULL) {
        char link[300], cwd[512];
        ssize_t len;

        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        (void)snprintf(link, sizeof(link), "/proc/%.200s/cwd", entry->d_name);
        len = readlink(link, cwd, sizeof(cwd) - 1);
        if (len > 0) {
            cwd[len] = '\0';
            count += strcmp(cwd, root) == 0;
        }
    }
    (void)closedir(proc);
    return count;
}

static void
wait_for_processes(bool wanted)
{
    for (int i = 0; i < 1000 && (processes_here() > 0) != wanted; i++)
        clock_sleep_ms(10);
    assert_int_equal(processes_here() > 0, wanted);
}

static void
put_file(const char *name, const void *data, size_t len, mode_t mode)
{
    struct err err = ERR_INIT;

    assert_ok(file_write_atomic(folder_fd, name, "t-", data, len, mode, &err), &err);
}

/* A program of our own instead of a server. */
static void
use_script(const char *text)
{
    put_file("script", text, strlen(text), 0700);
    free(program);
    program = mem_printf("%s/script", root);
}

/* KEYS keys in each of the databases 0 and 20. */
static void
put_dump(const char *header, int keys)
{
    struct rdb_build b;
    char key[32];

    rdb_build_init(&b, header);
    for (unsigned db = 0; db <= 20; db += 20) {
        rdb_build_select(&b, db);
        for (int i = 0; i < keys; i++) {
            (void)snprintf(key, sizeof(key), "key %d", i);
            rdb_build_set(&b, key, "a value");
        }
    }
    rdb_build_end(&b);
    put_file("dump.rdb", b.data, b.len, 0600);
    rdb_build_fini(&b);
}

static struct throwaway_options
options(void)
{
    return (struct throwaway_options){.program = program, .folder_fd = folder_fd, .databases = 21};
}

static struct throwaway *
must_start(const struct throwaway_options *o)
{
    struct throwaway *t = NULL;
    struct err err = ERR_INIT;

    assert_ok(throwaway_start(o, &t, &err), &err);
    assert_int_equal(processes_here(), 1);
    return t;
}

/* It does not start, for that reason, and leaves no process. */
static void
must_fail(const struct throwaway_options *o, enum err_code code, const char *words)
{
    struct throwaway *t = NULL;
    struct err err = ERR_INIT;

    assert_int_equal(throwaway_start(o, &t, &err), -1);
    assert_null(t);
    if (err.code != code || strstr(err.msg, words) == NULL)
        fail_msg("%s, not %s with \"%s\": %s", err_name(err.code), err_name(code), words, err.msg);
    wait_for_processes(false); /* its children are killed with it; the kernel may take a moment to bury them */
}

/* CONFIG GET NAME; free() it. */
static char *
setting(struct throwaway *t, const char *name)
{
    struct reply *r = NULL;
    struct err err = ERR_INIT;
    char *value;

    assert_ok(throwaway_call(t, CLIENT_ARGS("CONFIG", "GET", name), &r, &err), &err);
    assert_int_equal(r->count, 2);
    value = mem_strdup(r->elements[1]->text);
    reply_free(r);
    return value;
}

static void
assert_setting(struct throwaway *t, const char *name, const char *want)
{
    char *value = setting(t, name);

    assert_string_equal(value, want);
    free(value);
}

/* ---- a server that does what it should ---- */

static void
throwaway_start__a_dump__loaded_and_nothing_left(void **state)
{
    struct throwaway_options o = options();
    struct throwaway *t;
    struct reply *info = NULL;
    struct err err = ERR_INIT;
    char text[100];

    (void)state;
    put_dump("REDIS0009", 1000);
    t = must_start(&o);
    assert_ok(throwaway_call(t, CLIENT_ARGS("INFO"), &info, &err), &err);
    assert_true(info_text(info->text, "db0", text, sizeof(text)));
    assert_memory_equal(text, "keys=1000,", 10);
    assert_true(info_text(info->text, "db20", text, sizeof(text)));
    reply_free(info);
    assert_non_null(strstr(throwaway_version(t), "."));
    assert_non_null(strstr(throwaway_log(t), "Server initialized"));
    assert_fails(throwaway_call(t, CLIENT_ARGS("NO-SUCH-COMMAND"), &info, &err), &err, ERR_SERVER_DENIED);
    throwaway_stop(t);
    assert_int_equal(processes_here(), 0);
    throwaway_stop(NULL);
}

static void
throwaway_start__its_settings__private_and_never_saves(void **state)
{
    static const char *const settings[] = {"--appendfsync", "always", NULL};
    struct throwaway_options o = options();
    struct throwaway *t;
    struct reply *r = NULL;
    struct err err = ERR_INIT;
    struct stat st;

    (void)state;
    put_file("redis.conf", "port 6399\nsave 1 1\n", 19, 0600); /* in its folder, yet nobody named it */
    o.settings = settings;
    o.databases = 3;
    t = must_start(&o);
    assert_setting(t, "port", "0");
    assert_setting(t, "save", "");
    assert_setting(t, "appendonly", "no");
    assert_setting(t, "maxmemory", "0");
    assert_setting(t, "databases", "16");
    assert_setting(t, "appendfsync", "always");
    assert_int_equal(fstatat(folder_fd, "remora.socket", &st, 0), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_ok(throwaway_call(t, CLIENT_ARGS("SET", "key", "value"), &r, &err), &err);
    reply_free(r);
    throwaway_stop(t);
    assert_int_equal(fstatat(folder_fd, "dump.rdb", &st, 0), -1);
}

static void
throwaway_start__folder_with_a_long_and_odd_path__works(void **state)
{
    struct throwaway_options o = options();
    struct throwaway *t = NULL;
    struct err err = ERR_INIT;
    char name[200];
    int fd;

    (void)state;
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    memcpy(name + 20, " \"'\n\\", 5);
    assert_int_equal(mkdirat(folder_fd, name, 0700), 0);
    fd = openat(folder_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    o.folder_fd = fd;
    assert_ok(throwaway_start(&o, &t, &err), &err);
    throwaway_stop(t);
    (void)close(fd);
}

static void
throwaway_call__server_was_killed__says_so(void **state)
{
    struct throwaway_options o = options();
    struct throwaway *t;
    struct reply *r = NULL;
    struct err err = ERR_INIT;
    uint64_t pid = 0;

    (void)state;
    t = must_start(&o);
    assert_ok(throwaway_call(t, CLIENT_ARGS("INFO"), &r, &err), &err);
    assert_true(info_u64(r->text, "process_id", &pid));
    reply_free(r);
    assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
    assert_fails(throwaway_call(t, CLIENT_ARGS("PING"), &r, &err), &err, ERR_NO_SPACE);
    assert_fails(throwaway_call(t, CLIENT_ARGS("PING"), &r, &err), &err, ERR_SERVER);
    throwaway_stop(t);
    assert_int_equal(processes_here(), 0);
}

/* ---- data that it does not take ---- */

static void
throwaway_start__data_are_bad__its_own_words(void **state)
{
    struct throwaway_options o = options();
    struct rdb_build b;

    (void)state;
    put_dump("REDIS0099", 1);
    must_fail(&o, ERR_UNSUPPORTED, "Can't handle RDB format version 99");
    put_dump("GARBAGE09", 1);
    must_fail(&o, ERR_UNSUPPORTED, "Wrong signature");
    rdb_build_init(&b, "REDIS0009");
    rdb_build_select(&b, 0);
    rdb_build_byte(&b, 13); /* a hash in a packed form that is none */
    rdb_build_str(&b, "key");
    rdb_build_str(&b, "this is no ziplist at all");
    rdb_build_end(&b);
    put_file("dump.rdb", b.data, b.len, 0600);
    must_fail(&o, ERR_CORRUPT, "a server does not load it");
    rdb_build_fini(&b);
    put_file("dump.rdb", "REDIS0009\376", 10, 0600);
    must_fail(&o, ERR_CORRUPT, "a server does not load it");
}

/* ---- programs that are no server ---- */

static void
throwaway_start__program_ends_or_cannot_run__that_is_told(void **state)
{
    struct throwaway_options o;

    (void)state;
    use_script("#!/bin/sh\necho one; echo two >&2; echo \"three in $(pwd)\"; exit 3\n");
    o = options();
    must_fail(&o, ERR_SERVER, "status 3");
    must_fail(&o, ERR_SERVER, "two; three in ");
    must_fail(&o, ERR_SERVER, root);
    use_script("\177ELF is not all that it takes");
    o = options();
    must_fail(&o, ERR_USAGE, "does not run");
    use_script("#!/bin/sh\nkill -KILL $$\n");
    o = options();
    must_fail(&o, ERR_NO_SPACE, "signal 9");
    use_script("#!/bin/sh\nkill -SEGV $$\n");
    o = options();
    must_fail(&o, ERR_SERVER, "signal 11");
}

static void
throwaway_start__program_hangs__given_up_and_ended_with_its_children(void **state)
{
    struct throwaway_options o;

    (void)state;
    use_script("#!/bin/sh\ntrap '' TERM\nsleep 1000 &\nsleep 1000\n");
    o = options();
    o.answer_ms = 300;
    must_fail(&o, ERR_SERVER, "does not answer after");
    use_script("#!/bin/sh\nwhile :; do echo a line without end; done\n"); /* talks all the time */
    o = options();
    o.answer_ms = 300;
    must_fail(&o, ERR_SERVER, "does not answer after");
}

static void
throwaway_start__our_environment_and_files__stay_ours(void **state)
{
    struct throwaway_options o;

    (void)state;
    assert_int_equal(dup2(folder_fd, 77), 77); /* without O_CLOEXEC: as another program would leave it */
    assert_int_equal(setenv("REMORA_TEST_SECRET", "hush", 1), 0);
    use_script("#!/bin/sh\necho \"secret: $REMORA_TEST_SECRET, home: $HOME.\"\n"
               "[ -e /proc/$$/fd/77 ] && echo leaks || echo holds\n");
    o = options();
    must_fail(&o, ERR_SERVER, "secret: , home: .; holds");
    assert_int_equal(unsetenv("REMORA_TEST_SECRET"), 0);
    (void)close(77);
}

/* ---- somebody ends us in the middle of it ---- */

/* In a child: start a server that loads for a very long time. */
static int
load_for_long(void *arg)
{
    static const char *const settings[] = {"--key-load-delay", "20000", NULL}; /* 20 ms a key */
    struct throwaway_options o = options();
    struct throwaway *t = NULL;
    struct err err = ERR_INIT;

    (void)arg;
    sig_install();
    o.settings = settings;
    if (throwaway_start(&o, &t, &err) == 0)
        return 1;
    if (err.code != ERR_INTERRUPTED)
        (void)fprintf(stderr, "%s\n", err.msg);
    return err.code == ERR_INTERRUPTED ? 0 : 2;
}

static void
throwaway_start__sigterm_while_loading__ended_at_once(void **state)
{
    int64_t began_ms;
    pid_t child;

    (void)state;
    put_dump("REDIS0009", 5000);
    child = test_child_start(load_for_long, NULL);
    wait_for_processes(true);
    clock_sleep_ms(300);
    began_ms = clock_mono_ms();
    assert_int_equal(kill(child, SIGTERM), 0);
    assert_int_equal(test_child_wait(child), 0);
    assert_true(clock_mono_ms() - began_ms < 5000);
    assert_int_equal(processes_here(), 0);
}

static void
throwaway_start__we_are_killed__the_server_dies_too(void **state)
{
    pid_t child;

    (void)state;
    put_dump("REDIS0009", 5000);
    child = test_child_start(load_for_long, NULL);
    wait_for_processes(true);
    clock_sleep_ms(300);
    assert_int_equal(kill(child, SIGKILL), 0);
    (void)test_child_wait(child);
    wait_for_processes(false);
}

/* ---- why a server ended ---- */

static void
explains(const char *log, int status, bool began, enum err_code code, const char *words)
{
    struct err err = ERR_INIT;

    assert_int_equal(throwaway_explain_end(log, status, began, &err), -1);
    if (err.code != code || strstr(err.msg, words) == NULL)
        fail_msg("%s, not %s with \"%s\": %s", err_name(err.code), err_name(code), words, err.msg);
}

static void
throwaway_explain_end__logs_of_servers__the_right_code(void **state)
{
    static const char stamp[] = "1003:M 23 Nov 2026 00:57:57.498 # ";
    char text[600];

    (void)state;
    (void)snprintf(text, sizeof(text), "%sServer initialized\n%sCan't handle RDB format version 12\n%sFatal error.\n",
                   stamp, stamp, stamp);
    explains(text, 1 << 8, false, ERR_UNSUPPORTED, "said: Can't handle RDB format version 12; Fatal error.:");
    (void)snprintf(text, sizeof(text), "%sServer initialized\n%sInternal error in RDB reading offset 0\n\n", stamp,
                   stamp);
    explains(text, 1 << 8, false, ERR_CORRUPT, "Server initialized; Internal error");
    explains("", 1 << 8, true, ERR_CORRUPT, "status 1");
    explains("", 0, false, ERR_SERVER, "said nothing");
    explains("Out Of Memory allocating 5 bytes!\n", SIGABRT, true, ERR_NO_SPACE, "signal 6");
    explains("\n\n", SIGKILL, true, ERR_NO_SPACE, "want of memory: give");
    explains("The RDB file contains module data I can't load: no matching module type 'x'\n", 1 << 8, true,
             ERR_UNSUPPORTED, "module");
    explains("a\nb\n\n\n=== REDIS BUG REPORT START: Cut & paste ===\nregisters\n", SIGSEGV, true, ERR_CORRUPT,
             "said: a; b");
    explains("\033[31mred\001\n", 1 << 8, true, ERR_CORRUPT, "?[31mred?");
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    explains(text, 1 << 8, true, ERR_CORRUPT, "xxx");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(throwaway_start__a_dump__loaded_and_nothing_left),
        TEST(throwaway_start__its_settings__private_and_never_saves),
        TEST(throwaway_start__folder_with_a_long_and_odd_path__works),
        TEST(throwaway_call__server_was_killed__says_so),
        TEST(throwaway_start__data_are_bad__its_own_words),
        TEST(throwaway_start__program_ends_or_cannot_run__that_is_told),
        TEST(throwaway_start__program_hangs__given_up_and_ended_with_its_children),
        TEST(throwaway_start__our_environment_and_files__stay_ours),
        TEST(throwaway_start__sigterm_while_loading__ended_at_once),
        TEST(throwaway_start__we_are_killed__the_server_dies_too),
        TEST(throwaway_explain_end__logs_of_servers__the_right_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
