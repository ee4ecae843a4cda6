/* SPDX-License-Identifier: Apache-2.0 */
/* A tar as a store, beside the same objects in memory: whatever is asked, both say the same. And what is the tar's
 * alone: files that are none, that change under our hands, and many readers at once. */
#include "tests/support/test_common.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/tar_write.h"
#include "storage/store_mem.h"
#include "storage/store_tar.h"
#include "tests/support/tar_build.h"

#define LARGE   ((size_t)3 << 20)
#define THREADS 8

static const char *const keys[] = {"remora.json",  "a",       "b/a",     "b/b/1",        "b/b/2", "b-c",
                                   "b0",           "b/c",     "large/1", "large/2",      "zzz",   "s\xc3\xa4ge/x",
                                   "with space/x", "empty/1", "empty/2", "b/b/deep/er/x"};

struct scene {
    char dir[256], path[300];
    struct store *model; /* the same in memory */
    char *large;
};

static size_t
size_of(size_t i)
{
    return strncmp(keys[i], "large", 5) == 0 ? LARGE + i : strncmp(keys[i], "empty", 5) == 0 ? 0 : 100 * i + 1;
}

/* The keys in no order, in a tar that names folders and things that are no keys too. */
static int
setup(void **state)
{
    struct scene *s = mem_new(sizeof(*s));
    struct err err = ERR_INIT;
    struct tar_writer *w;
    int fd;

    test_make_dir(s->dir);
    (void)snprintf(s->path, sizeof(s->path), "%s/store.tar", s->dir);
    s->model = store_mem_new();
    s->large = mem_new(LARGE + 2 * ARRAY_LEN(keys));
    for (size_t i = 0; i < LARGE + 2 * ARRAY_LEN(keys); i++)
        s->large[i] = (char)(i * 13 + i / 499);
    fd = open(s->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    w = tar_writer_to_fd(fd, &err);
    assert_non_null(w);
    for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
        size_t i = (k * 5 + 3) % ARRAY_LEN(keys);

        assert_ok(tar_writer_file(w, keys[i], size_of(i), 1700000000000 + (int64_t)i, &err), &err);
        assert_ok(tar_writer_data(w, s->large + i, size_of(i), &err), &err);
        assert_ok(
            store_put(s->model, &(struct store_put){.key = keys[i], .data = s->large + i, .len = size_of(i)}, &err),
            &err);
    }
    assert_ok(tar_writer_file(w, "b/.tmp-1", 0, 0, &err), &err); /* no key by the rules */
    assert_ok(tar_writer_finish(w, &err), &err);
    tar_writer_free(w);
    (void)close(fd);
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;

    store_free(s->model);
    test_remove_dir(s->dir);
    free(s->large);
    free(s);
    return 0;
}

static struct store *
open_tar(const struct scene *s)
{
    struct err err = ERR_INIT;
    struct store *t = store_tar_open(s->path, &err);

    if (t == NULL)
        fail_msg("%s", err.msg);
    return t;
}

/* ---- what both say ----------------------------------------------------------------------------------------------- */

struct told {
    struct buf text;
    unsigned left; /* stop after so many */
};

static bool
note(const struct store_object *o, void *cookie)
{
    struct told *t = cookie;
    struct err err = ERR_INIT;

    assert_ok(buf_printf(&t->text, &err, "%s %llu %d\n", o->key, (unsigned long long)o->size, o->is_folder), &err);
    return --t->left > 0;
}

static void
expect_same_listing(struct store *a, struct store *b, const struct store_list *what, unsigned most)
{
    struct told one = {.left = most}, other = {.left = most};
    struct err err = ERR_INIT;

    buf_init(&one.text, 100000);
    buf_init(&other.text, 100000);
    assert_ok(store_list(a, what, note, &one, &err), &err);
    assert_ok(store_list(b, what, note, &other, &err), &err);
    if (one.text.len != other.text.len || (one.text.len > 0 && strcmp(one.text.data, other.text.data) != 0))
        fail_msg("prefix \"%s\", after \"%s\", delimiter %d:\n%s--- and\n%s", what->prefix, what->start_after,
                 what->delimiter, one.text.len > 0 ? one.text.data : "", other.text.len > 0 ? other.text.data : "");
    buf_fini(&one.text);
    buf_fini(&other.text);
}

static void
store_tar__listings__as_in_memory(void **state)
{
    static const char *const words[] = {"",       "a",     "b",    "b/",        "b/b", "b/b/", "b/b/1", "b/c",
                                        "b-",     "b0",    "b~",   "l",         "la",  "zzz",  "zzzz",  "s\xc3",
                                        "empty/", "with ", "none", "b/b/deep/", "/",   "b.",   "b/a",   "b/b/2"};
    struct scene *s = *state;
    struct store *t = open_tar(s);

    for (size_t p = 0; p < ARRAY_LEN(words); p++) {
        for (size_t a = 0; a < ARRAY_LEN(words); a++) {
            for (unsigned most = 1; most < 100; most += most < 3 ? 1 : 50) {
                const struct store_list all = {.prefix = words[p], .start_after = words[a]};
                const struct store_list folders = {.prefix = words[p], .start_after = words[a], .delimiter = '/'};

                expect_same_listing(t, s->model, &all, most);
                expect_same_listing(t, s->model, &folders, most);
            }
        }
    }
    store_free(t);
}

static void
store_tar__gets_and_stats__as_in_memory(void **state)
{
    static const size_t offsets[] = {0, 1, 511, 512, 65536, LARGE - 1, LARGE, LARGE + 100};
    static const size_t lengths[] = {0, 1, 600, 70000, LARGE + 200};
    struct scene *s = *state;
    struct store *t = open_tar(s);
    char *one = mem_new(LARGE + 200), *other = mem_new(LARGE + 200);
    struct err err = ERR_INIT;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct store_object object;

        assert_ok(store_stat(t, keys[i], &object, &err), &err);
        assert_int_equal(object.size, size_of(i));
        assert_int_equal(object.mtime_ms, 1700000000000 + (int64_t)i);
        for (size_t o = 0; o < ARRAY_LEN(offsets); o++) {
            for (size_t l = 0; l < ARRAY_LEN(lengths); l++) {
                size_t got = 1, wanted = 2;

                assert_ok(store_get(t, keys[i], offsets[o], one, lengths[l], &got, &err), &err);
                assert_ok(store_get(s->model, keys[i], offsets[o], other, lengths[l], &wanted, &err), &err);
                assert_int_equal(got, wanted);
                assert_memory_equal(one, other, got);
            }
        }
    }
    free(one);
    free(other);
    store_free(t);
}

static void
store_tar__what_is_not_there__not_found(void **state)
{
    struct scene *s = *state;
    struct store *t = open_tar(s);
    struct store_object object;
    struct err err = ERR_INIT;
    char byte;
    size_t got;

    assert_fails(store_get(t, "b", 0, &byte, 1, &got, &err), &err, ERR_NOT_FOUND);
    assert_fails(store_get(t, "b/b", 0, &byte, 0, &got, &err), &err, ERR_NOT_FOUND);
    assert_fails(store_stat(t, "none", &object, &err), &err, ERR_NOT_FOUND);
    assert_fails(store_stat(t, "b/.tmp-1", &object, &err), &err, ERR_USAGE);
    store_free(t);
}

static void
store_tar__writes__refused(void **state)
{
    struct scene *s = *state;
    struct store *t = open_tar(s);
    const struct store_put put = {.key = "new", .data = "x", .len = 1};
    struct err err = ERR_INIT;
    int64_t now = 0;

    assert_int_equal(store_features(t), 0);
    assert_fails(store_put(t, &put, &err), &err, ERR_REFUSED);
    assert_fails(store_remove(t, "a", &err), &err, ERR_REFUSED);
    assert_fails(t->ops->put(t, &put, &err), &err, ERR_REFUSED);
    assert_fails(t->ops->remove(t, "a", &err), &err, ERR_REFUSED);
    assert_ok(store_now(t, &now, &err), &err);
    assert_true(now > 1700000000000);
    assert_string_equal(store_url(t), s->path);
    store_free(t);
}

/* ---- many at once ------------------------------------------------------------------------------------------------ */

struct reader {
    const struct scene *s;
    struct store *t;
    size_t number;
    bool failed;
};

static void *
read_many(void *cookie)
{
    struct reader *r = cookie;
    char *buf = mem_new(LARGE + 100);

    for (size_t round = 0; round < 40; round++) {
        size_t i = (r->number + round) % ARRAY_LEN(keys), got = 0;
        struct err err = ERR_INIT;

        if (store_get(r->t, keys[i], 0, buf, LARGE + 100, &got, &err) < 0 || got != size_of(i) ||
            memcmp(buf, r->s->large + i, got) != 0)
            r->failed = true;
    }
    free(buf);
    return NULL;
}

static void
store_tar__many_threads__each_gets_its_own(void **state)
{
    struct scene *s = *state;
    struct store *t = open_tar(s);
    struct reader readers[THREADS];
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++) {
        readers[i] = (struct reader){.s = s, .t = t, .number = 3 * i};
        assert_int_equal(pthread_create(&threads[i], NULL, read_many, &readers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_false(readers[i].failed);
    }
    store_free(t);
}

/* ---- files that are none, and files that change ------------------------------------------------------------------ */

static void
expect_no_store(const char *path, enum err_code code)
{
    struct err err = ERR_INIT;

    assert_null(store_tar_open(path, &err));
    if (err.code != code)
        fail_msg("%s: %s (%s)", path, err.msg, err_name(err.code));
    assert_non_null(strstr(err.msg, path));
}

static void
store_tar__no_tar_file__says_what_it_is(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;
    char path[300];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/none", s->dir);
    expect_no_store(path, ERR_NOT_FOUND);
    expect_no_store(s->dir, ERR_USAGE);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_no_store(path, ERR_USAGE);
    assert_int_equal(unlink(path), 0);
    f = fopen(path, "w");
    assert_non_null(f);
    expect_no_store(path, ERR_CORRUPT);
    assert_ok(file_write_all(fileno(f), "REDIS0011", 9, &err), &err);
    expect_no_store(path, ERR_CORRUPT);
    (void)fclose(f);
}

static void
store_tar__hostile_entry__does_not_open(void **state)
{
    struct scene *s = *state;
    struct err err = ERR_INIT;
    struct buf b;
    int fd = open(s->path, O_WRONLY | O_TRUNC | O_CLOEXEC);

    assert_true(fd >= 0);
    buf_init(&b, 100000);
    tar_add_file(&b, "good", "1");
    tar_add_header(&b, &(struct tar_header){.name = "link", .type = '2', .link = "/etc"});
    tar_add_end(&b);
    assert_ok(file_write_all(fd, b.data, b.len, &err), &err);
    (void)close(fd);
    buf_fini(&b);
    expect_no_store(s->path, ERR_CORRUPT);
}

static void
store_tar__cut_off_at_any_block__does_not_open(void **state)
{
    struct scene *s = *state;
    struct stat st;

    assert_int_equal(stat(s->path, &st), 0);
    for (int i = 1; i <= 20; i++) {
        assert_int_equal(truncate(s->path, st.st_size - 512 * i), 0);
        expect_no_store(s->path, ERR_CORRUPT);
    }
    assert_int_equal(truncate(s->path, st.st_size / 2), 0);
    expect_no_store(s->path, ERR_CORRUPT);
}

static void
store_tar__cut_after_opening__is_noticed(void **state)
{
    struct scene *s = *state;
    struct store *t = open_tar(s);
    char *buf = mem_new(LARGE + 100);
    struct err err = ERR_INIT;
    unsigned lost = 0;

    assert_int_equal(truncate(s->path, (off_t)LARGE), 0);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        size_t got = 0;

        if (store_get(t, keys[i], 0, buf, LARGE + 100, &got, &err) == 0) {
            assert_int_equal(got, size_of(i));
            assert_memory_equal(buf, s->large + i, got);
            continue;
        }
        assert_int_equal(err.code, ERR_CORRUPT);
        lost++;
    }
    assert_true(lost > 0);
    free(buf);
    store_free(t);
}

static void
store_tar__replaced_by_another_while_open__is_noticed(void **state)
{
    struct scene *s = *state;
    struct store *t = open_tar(s);
    struct err err = ERR_INIT;
    unsigned lost = 0;
    struct buf b;
    int fd = open(s->path, O_WRONLY | O_TRUNC | O_CLOEXEC);

    assert_true(fd >= 0);
    buf_init(&b, (size_t)16 << 20);
    for (unsigned i = 0; i < 4000; i++) { /* plain entries wherever one is looked for */
        char name[32];

        (void)snprintf(name, sizeof(name), "other/%u", i);
        tar_add_file(&b, name, "1");
    }
    tar_add_end(&b);
    assert_ok(file_write_all(fd, b.data, b.len, &err), &err);
    (void)close(fd);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        char byte;
        size_t got = 0;

        if (size_of(i) > 0) {
            assert_fails(store_get(t, keys[i], 0, &byte, 1, &got, &err), &err, ERR_CORRUPT);
            lost++;
        }
    }
    assert_true(lost > 0);
    buf_fini(&b);
    store_free(t);
}

/* A tar of COUNT empty files with names of LEN bytes. */
static void
write_many(const struct scene *s, unsigned count, size_t len)
{
    struct err err = ERR_INIT;
    int fd = open(s->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    struct tar_writer *w = tar_writer_to_fd(fd, &err);
    char name[1024];

    assert_non_null(w);
    for (unsigned i = 0; i < count; i++) {
        int n = snprintf(name, sizeof(name), "%u/", i);

        for (size_t at = (size_t)n; at < len; at++)
            name[at] = at % 100 == 99 && at + 1 < len ? '/' : 'n';
        name[len] = '\0';
        assert_ok(tar_writer_file(w, name, 0, 0, &err), &err);
    }
    assert_ok(tar_writer_finish(w, &err), &err);
    tar_writer_free(w);
    (void)close(fd);
}

static void
store_tar__too_many_names__unsupported(void **state)
{
    struct scene *s = *state;

    write_many(s, 32768, 512);
    store_free(open_tar(s));
    write_many(s, 32769, 512);
    expect_no_store(s->path, ERR_UNSUPPORTED);
}

int
main(void)
{
#define case_of(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        case_of(store_tar__listings__as_in_memory),
        case_of(store_tar__gets_and_stats__as_in_memory),
        case_of(store_tar__what_is_not_there__not_found),
        case_of(store_tar__writes__refused),
        case_of(store_tar__many_threads__each_gets_its_own),
        case_of(store_tar__no_tar_file__says_what_it_is),
        case_of(store_tar__hostile_entry__does_not_open),
        case_of(store_tar__cut_off_at_any_block__does_not_open),
        case_of(store_tar__cut_after_opening__is_noticed),
        case_of(store_tar__too_many_names__unsupported),
        case_of(store_tar__replaced_by_another_while_open__is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
