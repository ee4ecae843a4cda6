/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/metrics_file.h"
#include "base/file.h"

static char dir[256], path[300];

static int
set_up(void **state)
{
    (void)state;
    test_make_dir(dir);
    (void)snprintf(path, sizeof(path), "%s/remora.prom", dir);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    test_remove_dir(dir);
    return 0;
}

static struct metrics_run
good_run(int64_t started_ms)
{
    struct metrics_run run = {.instance = "shop",
                              .kind = WORK_BACKUP,
                              .started_ms = started_ms,
                              .ended_ms = started_ms + 500,
                              .duration_ms = 400,
                              .made = {.snapshot_ms = started_ms + 1, .raw_size = 10, .stored_size = 4, .keys = 2}};

    run.storage.calls[METER_PUT].calls = 3;
    run.storage.calls[METER_PUT].buckets[1] = 3;
    run.storage.calls[METER_PUT].total_ms = 21;
    run.storage.bytes_put = 100;
    run.storage.retries = 1;
    return run;
}

static void
write_run(const struct metrics_run *run)
{
    struct err err = ERR_INIT;

    assert_ok(metrics_file_write(path, run, &err), &err);
}

/* Has the file this sample of backups of shop? */
static bool
has(const char *name, const char *more, const char *value)
{
    struct err err = ERR_INIT;
    char line[300], *text = NULL;
    size_t len;
    bool found;

    assert_ok(file_read_all(AT_FDCWD, path, FIGURES_TEXT_MAX, &text, &len, &err), &err);
    (void)snprintf(line, sizeof(line), "\n%s{remora_instance=\"shop\",kind=\"backup\"%s} %s\n", name, more, value);
    found = strstr(text, line) != NULL;
    free(text);
    return found;
}

static unsigned
entries(void)
{
    unsigned n = 0;
    DIR *d = opendir(dir);

    assert_non_null(d);
    while (readdir(d) != NULL) /* NOLINT(concurrency-mt-unsafe): one thread */
        n++;
    (void)closedir(d);
    return n - 2;
}

static void
write__first_run__is_there_for_everybody(void **state)
{
    const struct metrics_run run = good_run(1000000);
    mode_t before = umask(077);
    struct stat st;

    (void)state;
    write_run(&run);
    (void)umask(before);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(entries(), 1);
    assert_true(has("remora_job_last_attempt_timestamp_seconds", "", "1000.000"));
    assert_true(has("remora_job_last_success_timestamp_seconds", "", "1000.500"));
    assert_true(has("remora_job_last_duration_seconds", "", "0.400"));
    assert_true(has("remora_job_successes_total", "", "1"));
    assert_true(has("remora_latest_backup_snapshot_timestamp_seconds", "", "1000.001"));
    assert_true(has("remora_latest_backup_keys", "", "2"));
    assert_true(has("remora_storage_sent_bytes_total", "", "100"));
}

static void
write__failure_after_success__keeps_the_success_and_counts(void **state)
{
    const struct metrics_run good = good_run(1000000);
    struct metrics_run bad = good_run(2000000);

    (void)state;
    bad.exit_status = 6;
    bad.made = (struct figures_latest){0};
    write_run(&good);
    write_run(&bad);
    write_run(&bad);
    assert_true(has("remora_job_last_attempt_timestamp_seconds", "", "2000.000"));
    assert_true(has("remora_job_last_success_timestamp_seconds", "", "1000.500"));
    assert_true(has("remora_job_successes_total", "", "1"));
    assert_true(has("remora_job_failures_total", ",exit=\"storage\"", "2"));
    assert_true(has("remora_latest_backup_snapshot_timestamp_seconds", "", "1000.001"));
    assert_true(has("remora_latest_backup_stored_bytes", "", "4"));
    assert_true(has("remora_storage_sent_bytes_total", "", "300"));
    assert_true(has("remora_storage_retries_total", "", "3"));
    assert_true(has("remora_storage_request_duration_seconds_count", ",operation=\"put\"", "9"));
    assert_true(has("remora_storage_request_duration_seconds_sum", ",operation=\"put\"", "0.063"));
    assert_int_equal(entries(), 1);
}

static void
write__failure_at_first__has_no_success(void **state)
{
    struct metrics_run bad = good_run(2000000);

    (void)state;
    bad.exit_status = 137; /* no status of ours */
    bad.made = (struct figures_latest){0};
    write_run(&bad);
    assert_true(has("remora_job_failures_total", ",exit=\"internal\"", "1"));
    assert_false(has("remora_job_last_success_timestamp_seconds", "", "0.000"));
    assert_true(has("remora_job_successes_total", "", "0"));
}

static void
write__rubbish_before__is_replaced(void **state)
{
    const struct metrics_run run = good_run(1000000);
    static char rubbish[FIGURES_TEXT_MAX + 10];
    struct err err = ERR_INIT;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    (void)state;
    memset(rubbish, 'x', sizeof(rubbish));
    assert_true(fd >= 0);
    assert_ok(file_write_all(fd, rubbish, sizeof(rubbish), &err), &err);
    assert_int_equal(close(fd), 0);
    write_run(&run);
    assert_true(has("remora_job_successes_total", "", "1"));
}

static void
write__link_folder_or_fifo__is_refused_and_left(void **state)
{
    const struct metrics_run run = good_run(1000000);
    struct err err = ERR_INIT;
    char target[300];
    struct stat st;

    (void)state;
    (void)snprintf(target, sizeof(target), "%s/target", dir);
    assert_int_equal(symlink(target, path), 0);
    assert_fails(metrics_file_write(path, &run, &err), &err, ERR_REFUSED);
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_fails(metrics_file_write(path, &run, &err), &err, ERR_REFUSED);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_fails(metrics_file_write(path, &run, &err), &err, ERR_REFUSED);
    assert_int_equal(entries(), 1);
}

static void
write__paths_that_cannot_be__are_errors(void **state)
{
    const struct metrics_run run = good_run(1000000);
    struct err err = ERR_INIT;
    char bad[600];

    (void)state;
    (void)snprintf(bad, sizeof(bad), "%s/none/remora.prom", dir);
    assert_fails(metrics_file_write(bad, &run, &err), &err, ERR_INTERNAL);
    (void)snprintf(bad, sizeof(bad), "%s/", dir);
    assert_fails(metrics_file_write(bad, &run, &err), &err, ERR_USAGE);
    (void)snprintf(bad, sizeof(bad), "%s/%0300d", dir, 1); /* a longer name than any file has */
    assert_fails(metrics_file_write(bad, &run, &err), &err, ERR_INTERNAL);
    assert_fails(metrics_file_write("", &run, &err), &err, ERR_USAGE);
    assert_int_equal(entries(), 0);
}

static void
write__bare_name__is_in_the_working_folder(void **state)
{
    const struct metrics_run run = good_run(1000000);
    struct err err = ERR_INIT;
    int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    (void)state;
    assert_int_equal(chdir(dir), 0);
    assert_ok(metrics_file_write("remora.prom", &run, &err), &err);
    assert_int_equal(fchdir(before), 0);
    (void)close(before);
    assert_true(has("remora_job_successes_total", "", "1"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(write__first_run__is_there_for_everybody),
        TEST(write__failure_after_success__keeps_the_success_and_counts),
        TEST(write__failure_at_first__has_no_success),
        TEST(write__rubbish_before__is_replaced),
        TEST(write__link_folder_or_fifo__is_refused_and_left),
        TEST(write__paths_that_cannot_be__are_errors),
        TEST(write__bare_name__is_in_the_working_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
