/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a dump file for its keys: what is told, and when nothing may be. */
#include "tests/support/test_common.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "snapshot/inspect_dump.h"
#include "tests/support/rdb_build.h"

struct fixture {
    char dir[256], path[300];
    uint64_t keys, progress_done, progress_total;
    struct rdb_info info;
    struct err err;
};

static void
take_key(const struct rdb_key *key, void *cookie)
{
    (void)key;
    ((struct fixture *)cookie)->keys++;
}

static void
take_progress(const struct progress *p, void *cookie)
{
    struct fixture *f = cookie;

    assert_true(p->done >= f->progress_done);
    f->progress_done = p->done;
    f->progress_total = p->total;
}

/* A dump of two keys in a file; CUT bytes of it are missing. */
static void
setup(struct fixture *f, size_t cut)
{
    struct rdb_build b;
    int fd = -1;

    *f = (struct fixture){.err = ERR_INIT};
    test_make_dir(f->dir);
    (void)snprintf(f->path, sizeof(f->path), "%s/dump.rdb", f->dir);
    rdb_build_init(&b, "REDIS0011");
    rdb_build_set(&b, "one", "value");
    rdb_build_set(&b, "two", "value");
    rdb_build_end(&b);
    fd = open(f->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_ok(file_write_all(fd, b.data, b.len - cut, &f->err), &f->err);
    (void)close(fd);
    rdb_build_fini(&b);
}

static int
inspect(struct fixture *f, const char *path)
{
    const struct rdb_observer observer = {take_key, f};
    const struct progress_sink progress = {take_progress, f};

    return inspect_dump(path, &observer, &progress, &f->info, &f->err);
}

static void
teardown(struct fixture *f)
{
    rdb_info_fini(&f->info);
    test_remove_dir(f->dir);
}

static void
inspect_dump__good_file__tells_its_keys(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, 0);
    assert_ok(inspect(&f, f.path), &f.err);
    assert_int_equal(f.keys, 2);
    assert_int_equal(f.info.keys, 2);
    assert_int_equal(f.info.db_count, 1);
    assert_true(f.progress_done == f.info.bytes && f.progress_total == f.info.bytes);
    teardown(&f);
}

static void
inspect_dump__stdin__is_read_to_its_end(void **state)
{
    struct fixture f;
    int kept = dup(STDIN_FILENO), fd;

    (void)state;
    setup(&f, 0);
    fd = open(f.path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO);
    (void)close(fd);
    assert_ok(inspect(&f, "-"), &f.err);
    assert_int_equal(f.keys, 2);
    assert_int_equal(f.progress_total, 0); /* not known */
    if (kept >= 0) {
        assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
        (void)close(kept);
    }
    teardown(&f);
}

static void
inspect_dump__cut_file__is_corrupt_and_named(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, 3);
    assert_int_equal(inspect(&f, f.path), -1);
    assert_int_equal(f.err.code, ERR_CORRUPT);
    assert_non_null(strstr(f.err.msg, f.path));
    teardown(&f);
}

static void
inspect_dump__no_file__is_a_matter_of_usage(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f, 0);
    assert_int_equal(unlink(f.path), 0);
    assert_fails(inspect(&f, f.path), &f.err, ERR_USAGE);
    teardown(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inspect_dump__good_file__tells_its_keys),
        cmocka_unit_test(inspect_dump__stdin__is_read_to_its_end),
        cmocka_unit_test(inspect_dump__cut_file__is_corrupt_and_named),
        cmocka_unit_test(inspect_dump__no_file__is_a_matter_of_usage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
