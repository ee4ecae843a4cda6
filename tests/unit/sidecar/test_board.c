/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/sidecar/board.h"
#include "base/mem.h"

#define NOW    (1000 * (int64_t)1000000000)
#define MINUTE 60000
#define HOUR   (60 * (int64_t)MINUTE)

static int
setup(void **state)
{
    struct board *b = mem_new(sizeof(*b));

    board_init(b, eventfd(0, EFD_NONBLOCK));
    b->started_ms = NOW - 90000;
    b->server = b->store = REACH_UP;
    *state = b;
    return 0;
}

static int
teardown(void **state)
{
    struct board *b = *state;
    int fd = b->wake_fd;

    board_fini(b);
    free(b);
    return close(fd);
}

/* One more backup in the catalogue, taken AGE_MS ago. */
static struct catalog_entry *
add_backup(struct board *b, int64_t age_ms)
{
    struct catalog_entry *e;

    if (b->catalog == NULL)
        b->catalog = mem_new(sizeof(*b->catalog));
    b->catalog->entries = mem_grow(b->catalog->entries, b->catalog->count + 1, sizeof(*e));
    e = &b->catalog->entries[b->catalog->count++];
    memset(e, 0, sizeof(*e));
    backup_id_make(NOW - age_ms, &e->id);
    e->state = CATALOG_WHOLE;
    e->snapshot_ms = NOW - age_ms;
    return e;
}

static void
expect(struct board *b, enum board_health health, const char *sentence)
{
    char text[JOB_TEXT_MAX + 512];

    board_lock(b);
    assert_int_equal(board_judge(b, NOW, text, sizeof(text)), health);
    board_unlock(b);
    assert_string_equal(text, sentence);
}

static void
add_job(struct board *b, enum work kind, int status, int64_t started_ago_ms, const char *error)
{
    bool joined;
    struct job *job = jobs_add(&b->jobs, kind, false, NOW, NOW - started_ago_ms, &joined);

    job->started_ms = NOW - started_ago_ms;
    job_end(job, status, error, NULL, NOW - started_ago_ms + 1000);
}

static void
board_judge__nothing_was_asked_yet__is_starting(void **state)
{
    struct board *b = *state;

    b->store = b->server = REACH_UNKNOWN;
    expect(b, HEALTH_STARTING, "The agent started 1m30s ago and has not read the repository yet.");
}

static void
board_judge__recent_backup__is_good(void **state)
{
    struct board *b = *state;

    (void)add_backup(b, 12 * MINUTE);
    expect(b, HEALTH_GOOD, "The last good backup is 12m00s old; backups are taken when they are asked for.");
    strcpy(b->kinds[WORK_BACKUP].schedule, "@every 1h");
    b->expect_every_ms = HOUR;
    b->kinds[WORK_BACKUP].next_ms = NOW + 48 * MINUTE;
    expect(b, HEALTH_GOOD, "The last good backup is 12m00s old; the next one is due in 48m00s.");
    b->kinds[WORK_BACKUP].next_ms = NOW;
    expect(b, HEALTH_GOOD, "The last good backup is 12m00s old; the next one is due now.");
    jobs_add(&b->jobs, WORK_BACKUP, false, NOW, NOW, &(bool){false})->state = JOB_RUNNING;
    expect(b, HEALTH_GOOD, "The last good backup is 12m00s old; one is being taken now.");
}

static void
board_judge__older_than_expected__is_late_after_some_slack(void **state)
{
    struct board *b = *state;
    struct catalog_entry *e = add_backup(b, 75 * MINUTE);

    strcpy(b->kinds[WORK_BACKUP].schedule, "@every 1h");
    b->expect_every_ms = HOUR;
    b->kinds[WORK_BACKUP].next_ms = NOW + MINUTE;
    expect(b, HEALTH_GOOD, "The last good backup is 1h15m old; the next one is due in 1m00s.");
    e->snapshot_ms -= 1;
    expect(b, HEALTH_LATE,
           "The last good backup is 1h15m old, and one is expected every 1h00m; the next one is due in 1m00s.");
}

static void
board_late_after_ms__any_schedule__is_bounded(void **state)
{
    struct board *b = *state;

    assert_int_equal(board_late_after_ms(b), 0);
    b->expect_every_ms = 5000;
    assert_int_equal(board_late_after_ms(b), 5000 + MINUTE);
    b->expect_every_ms = 24 * HOUR;
    assert_int_equal(board_late_after_ms(b), 25 * HOUR);
}

static void
board_judge__no_backup__is_never(void **state)
{
    struct board *b = *state;

    b->catalog = mem_new(sizeof(*b->catalog));
    expect(b, HEALTH_NEVER, "There is no good backup yet; backups are taken when they are asked for.");
    b->kinds[WORK_BACKUP].next_ms = NOW + 5000;
    expect(b, HEALTH_NEVER, "There is no good backup yet; the first one is due in 5.0 s.");
}

static void
board_judge__last_backup_failed__is_failing_until_another_one_succeeds(void **state)
{
    struct board *b = *state;
    struct catalog_entry *e = add_backup(b, 2 * HOUR);

    b->kinds[WORK_BACKUP].next_ms = NOW + MINUTE;
    add_job(b, WORK_BACKUP, 8, 61000, "the server closed the connection; look at its log");
    expect(b, HEALTH_FAILING,
           "The last backup failed 1m00s ago: the server closed the connection; look at its log. The last good backup "
           "is 2h00m old; the next one is due in 1m00s.");
    e->snapshot_ms = NOW - 30000; /* another agent's */
    expect(b, HEALTH_GOOD, "The last good backup is 30.0 s old; the next one is due in 1m00s.");
    add_job(b, WORK_BACKUP, 6, 20000, "no.");
    add_job(b, WORK_BACKUP, 0, 10000, "");
    expect(b, HEALTH_GOOD, "The last good backup is 30.0 s old; the next one is due in 1m00s.");
}

static void
board_judge__verify_failed__is_failing_until_a_later_one_was_good(void **state)
{
    struct board *b = *state;
    struct catalog_entry *e = add_backup(b, MINUTE);

    add_job(b, WORK_VERIFY, 5, 11000, "backup X is not good");
    expect(b, HEALTH_FAILING,
           "The last verify failed 10.0 s ago: backup X is not good. The last good backup is 1m00s old; backups are "
           "taken when they are asked for.");
    e->verified_ms = NOW;
    expect(b, HEALTH_GOOD, "The last good backup is 1m00s old; backups are taken when they are asked for.");
}

static void
board_judge__newest_is_suspicious__is_failing_until_accepted(void **state)
{
    struct board *b = *state;
    struct catalog_entry *e;
    char text[2048];

    (void)add_backup(b, HOUR);
    e = add_backup(b, MINUTE);
    e->suspicious = true;
    assert_ptr_equal(board_latest(b), &b->catalog->entries[0]);
    assert_int_equal(board_judge(b, NOW, text, sizeof(text)), HEALTH_FAILING);
    assert_non_null(strstr(text, e->id.text));
    assert_non_null(strstr(text, "The last good backup is 1h00m old"));
    e->accepted = true;
    assert_ptr_equal(board_latest(b), e);
    expect(b, HEALTH_GOOD, "The last good backup is 1m00s old; backups are taken when they are asked for.");
}

static void
board_latest__newest_is_damaged__is_the_one_before(void **state)
{
    struct board *b = *state;
    struct catalog_entry *e;

    assert_null(board_latest(b));
    (void)add_backup(b, HOUR);
    e = add_backup(b, MINUTE);
    e->state = CATALOG_DAMAGED;
    assert_ptr_equal(board_latest(b), &b->catalog->entries[0]);
}

static void
board_judge__something_is_away__tells_the_cause_first(void **state)
{
    struct board *b = *state;

    (void)add_backup(b, 3 * HOUR);
    b->expect_every_ms = HOUR;
    b->server = REACH_DOWN;
    strcpy(b->server_error, "connect to redis://127.0.0.1:1: Connection refused");
    expect(b, HEALTH_SERVER_DOWN,
           "The server cannot be used: connect to redis://127.0.0.1:1: Connection refused. The last good backup is "
           "3h00m old.");
    b->server = REACH_DENIED;
    strcpy(b->server_error, "wrong password");
    expect(b, HEALTH_SERVER_DOWN, "The server denies access: wrong password. The last good backup is 3h00m old.");
    b->store = REACH_DENIED;
    strcpy(b->store_error, "403");
    expect(b, HEALTH_STORE_DOWN, "The repository denies access: 403. The last good backup is 3h00m old.");
    catalog_free(b->catalog);
    b->catalog = NULL;
    b->store = REACH_DOWN;
    b->store_error[0] = '\0';
    expect(b, HEALTH_STORE_DOWN,
           "The repository cannot be used: no reason was given. Which backups there are is not known yet.");
}

static void
board_judge__little_room__is_cut(void **state)
{
    struct board *b = *state;
    char text[24];

    (void)add_backup(b, MINUTE);
    assert_int_equal(board_judge(b, NOW, text, sizeof(text)), HEALTH_GOOD);
    assert_string_equal(text, "The last good backup is");
}

static void
board_error_add__many__keeps_the_newest(void **state)
{
    struct board *b = *state;
    char text[32];

    for (int i = 0; i < BOARD_ERRORS + 2; i++) {
        (void)snprintf(text, sizeof(text), "error %d", i);
        board_error_add(b, "backup", 8, text, NOW + i);
    }
    assert_int_equal(b->error_count, BOARD_ERRORS);
    assert_string_equal(b->errors[0].text, "error 2");
    assert_string_equal(b->errors[BOARD_ERRORS - 1].text, "error 11");
    assert_int_equal(b->errors[BOARD_ERRORS - 1].at_ms, NOW + 11);
}

static void
board_storage_add__twice__sums_up(void **state)
{
    struct board *b = *state;
    struct store_meter_counts more = {.bytes_put = 7, .bytes_got = 1};

    more.calls[METER_GET].calls = 3;
    more.calls[METER_GET].buckets[METER_BUCKETS] = 2;
    more.calls[METER_REMOVE].failures = 1;
    more.calls[METER_REMOVE].total_ms = 9;
    board_storage_add(b, &more);
    board_storage_add(b, &more);
    assert_int_equal(b->storage.calls[METER_GET].calls, 6);
    assert_int_equal(b->storage.calls[METER_GET].buckets[METER_BUCKETS], 4);
    assert_int_equal(b->storage.calls[METER_REMOVE].failures, 2);
    assert_int_equal(b->storage.calls[METER_REMOVE].total_ms, 18);
    assert_int_equal(b->storage.bytes_put, 14);
    assert_int_equal(b->storage.bytes_got, 2);
}

static void
board_wake__twice__the_descriptor_is_readable(void **state)
{
    struct board *b = *state;
    uint64_t n = 0;

    board_wake(b);
    board_wake(b);
    assert_int_equal(read(b->wake_fd, &n, sizeof(n)), sizeof(n));
    assert_int_equal(n, 2);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(board_judge__nothing_was_asked_yet__is_starting),
        TEST(board_judge__recent_backup__is_good),
        TEST(board_judge__older_than_expected__is_late_after_some_slack),
        TEST(board_late_after_ms__any_schedule__is_bounded),
        TEST(board_judge__no_backup__is_never),
        TEST(board_judge__last_backup_failed__is_failing_until_another_one_succeeds),
        TEST(board_judge__verify_failed__is_failing_until_a_later_one_was_good),
        TEST(board_judge__newest_is_suspicious__is_failing_until_accepted),
        TEST(board_latest__newest_is_damaged__is_the_one_before),
        TEST(board_judge__something_is_away__tells_the_cause_first),
        TEST(board_judge__little_room__is_cut),
        TEST(board_error_add__many__keeps_the_newest),
        TEST(board_storage_add__twice__sums_up),
        TEST(board_wake__twice__the_descriptor_is_readable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
