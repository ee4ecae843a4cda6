/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/sidecar/board.h"
#include "agent/sidecar/span.h"
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

/* The advice has these words, and none of its commands is cut off. */
static void
expect_advice(struct board *b, const char *words)
{
    struct board_verdict v;
    size_t ticks = 0;

    board_verdict(b, NOW, &v);
    for (const char *s = v.advice; (s = strchr(s, '`')) != NULL; s++)
        ticks++;
    assert_int_equal(ticks % 2, 0);
    if (strstr(v.advice, words) == NULL)
        fail_msg("the advice is: %s", v.advice);
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
    expect(b, HEALTH_STARTING, "The agent started 1 minute ago and has not read the repository yet.");
}

static void
board_judge__recent_backup__is_good(void **state)
{
    struct board *b = *state;

    (void)add_backup(b, 12 * MINUTE);
    expect(b, HEALTH_GOOD, "The last good backup is 12 minutes old; backups are taken when they are asked for.");
    strcpy(b->kinds[WORK_BACKUP].schedule, "@every 1h");
    b->expect_every_ms = HOUR;
    b->kinds[WORK_BACKUP].next_ms = NOW + 48 * MINUTE;
    expect(b, HEALTH_GOOD, "The last good backup is 12 minutes old; the next one is due in 48 minutes.");
    b->kinds[WORK_BACKUP].next_ms = NOW;
    expect(b, HEALTH_GOOD, "The last good backup is 12 minutes old; the next one is due now.");
    jobs_add(&b->jobs, WORK_BACKUP, false, NOW, NOW, &(bool){false})->state = JOB_RUNNING;
    expect(b, HEALTH_GOOD, "The last good backup is 12 minutes old; one is being taken now.");
}

static void
board_judge__older_than_expected__is_late_after_some_slack(void **state)
{
    struct board *b = *state;
    struct catalog_entry *e = add_backup(b, 75 * MINUTE);

    strcpy(b->kinds[WORK_BACKUP].schedule, "@every 1h");
    b->expect_every_ms = HOUR;
    b->kinds[WORK_BACKUP].next_ms = NOW + MINUTE;
    expect(b, HEALTH_GOOD, "The last good backup is 1 h 15 min old; the next one is due in 1 minute.");
    e->snapshot_ms -= 1;
    expect(b, HEALTH_LATE,
           "A backup is expected every 1 hour, and none came in time. The last good backup is 1 h 15 min old; the next "
           "one is "
           "due in 1 minute.");
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
    expect(b, HEALTH_NEVER, "There is no good backup yet; the first one is due in 5 seconds.");
}

static void
board_judge__last_backup_failed__is_failing_until_another_one_succeeds(void **state)
{
    struct board *b = *state;
    struct catalog_entry *e = add_backup(b, 2 * HOUR);

    b->kinds[WORK_BACKUP].next_ms = NOW + MINUTE;
    add_job(b, WORK_BACKUP, 8, 61000, "the server closed the connection; look at its log");
    expect(
        b, HEALTH_FAILING,
        "The last backup failed 1 minute ago: the server closed the connection; look at its log. The last good backup "
        "is 2 hours old; the next one is due in 1 minute.");
    e->snapshot_ms = NOW - 30000; /* another agent's */
    expect(b, HEALTH_GOOD, "The last good backup is 30 seconds old; the next one is due in 1 minute.");
    add_job(b, WORK_BACKUP, 6, 20000, "no.");
    add_job(b, WORK_BACKUP, 0, 10000, "");
    expect(b, HEALTH_GOOD, "The last good backup is 30 seconds old; the next one is due in 1 minute.");
}

static void
board_judge__verify_failed__is_failing_until_a_later_one_was_good(void **state)
{
    struct board *b = *state;
    struct catalog_entry *e = add_backup(b, MINUTE);

    add_job(b, WORK_VERIFY, 5, 11000, "backup X is not good");
    expect(b, HEALTH_FAILING,
           "The last verify failed 10 seconds ago: backup X is not good. The last good backup is 1 minute old; backups "
           "are "
           "taken when they are asked for.");
    e->verified_ms = NOW;
    expect(b, HEALTH_GOOD, "The last good backup is 1 minute old; backups are taken when they are asked for.");
}

static void
board_judge__newest_is_suspicious__is_suspicious_until_accepted(void **state)
{
    struct board *b = *state;
    struct catalog_entry *e;
    char text[2048];

    (void)add_backup(b, HOUR);
    e = add_backup(b, MINUTE);
    e->suspicious = true;
    assert_ptr_equal(board_latest(b), &b->catalog->entries[0]);
    assert_int_equal(board_judge(b, NOW, text, sizeof(text)), HEALTH_SUSPICIOUS);
    assert_non_null(strstr(text, e->id.text));
    assert_non_null(strstr(text, "The last good backup is 1 hour old"));
    expect_advice(b, e->id.text);
    expect_advice(b, "remora accept");
    expect_advice(b, b->catalog->entries[0].id.text);
    add_job(b, WORK_BACKUP, 10, 1000, "no space"); /* which is worse */
    assert_int_equal(board_judge(b, NOW, text, sizeof(text)), HEALTH_FAILING);
    add_job(b, WORK_BACKUP, 0, 500, "");
    assert_int_equal(board_judge(b, NOW, text, sizeof(text)), HEALTH_SUSPICIOUS);
    e->accepted = true;
    assert_ptr_equal(board_latest(b), e);
    expect(b, HEALTH_GOOD, "The last good backup is 1 minute old; backups are taken when they are asked for.");
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
           "3 hours old.");
    b->server = REACH_DENIED;
    strcpy(b->server_error, "wrong password");
    expect(b, HEALTH_SERVER_DOWN, "The server denies access: wrong password. The last good backup is 3 hours old.");
    b->store = REACH_DENIED;
    strcpy(b->store_error, "403");
    expect(b, HEALTH_STORE_DOWN, "The repository denies access: 403. The last good backup is 3 hours old.");
    catalog_free(b->catalog);
    b->catalog = NULL;
    b->store = REACH_DOWN;
    b->store_error[0] = '\0';
    expect(b, HEALTH_STORE_DOWN,
           "The repository cannot be used: no reason was given. Which backups there are is not known yet.");
}

static void
board_verdict__each_health__says_what_to_do_and_since_when(void **state)
{
    struct board *b = *state;
    struct board_verdict v;

    board_verdict(b, NOW, &v);
    assert_string_equal(v.advice, "");
    b->catalog = mem_new(sizeof(*b->catalog));
    expect_advice(b, "`remora backup` takes the first one");
    b->can_trigger = true;
    b->kinds[WORK_BACKUP].next_ms = NOW + HOUR;
    expect_advice(b, "Wait for it, or `remora trigger` takes it now");
    (void)add_backup(b, 3 * HOUR);
    board_verdict(b, NOW, &v);
    assert_int_equal(v.health, HEALTH_GOOD);
    assert_string_equal(v.cause, "");
    assert_string_equal(v.advice, "");
    b->expect_every_ms = HOUR;
    board_verdict(b, NOW, &v);
    assert_int_equal(v.health, HEALTH_LATE);
    assert_int_equal(v.since_ms, NOW - 105 * MINUTE);
    expect_advice(b, "`remora trigger`");
    add_job(b, WORK_PRUNE, 6, 20000, "no");
    expect_advice(b, "No backup is lost");
    add_job(b, WORK_VERIFY, 5, 20000, "no");
    expect_advice(b, "take a new backup");
    add_job(b, WORK_BACKUP, 8, 30000, "no");
    add_job(b, WORK_BACKUP, 8, 20000, "no");
    board_verdict(b, NOW, &v);
    assert_int_equal(v.since_ms, NOW - 29000); /* the end of the first */
    expect_advice(b, "try again with `remora trigger`");
    strcpy(b->kinds[WORK_BACKUP].schedule, "@every 1h");
    expect_advice(b, "tried again by itself");
    b->server = REACH_DOWN;
    board_error_add(b, "server", 8, "refused", NOW - 5000);
    board_error_add(b, "backup", 8, "no", NOW - 4000);
    board_verdict(b, NOW, &v);
    assert_int_equal(v.since_ms, NOW - 5000);
    expect_advice(b, "`remora restore`");
    b->server = REACH_DENIED;
    expect_advice(b, "the password");
    b->store = REACH_DENIED;
    board_verdict(b, NOW, &v);
    assert_int_equal(v.since_ms, 0);
    expect_advice(b, "the credentials");
    b->store = REACH_DOWN;
    expect_advice(b, "Bring the store back");
}

static void
span_format__durations__are_said_as_people_do(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {-5, "under a second"},
        {999, "under a second"},
        {1000, "1 second"},
        {59999, "59 seconds"},
        {MINUTE, "1 minute"},
        {41 * MINUTE + 999, "41 minutes"},
        {HOUR, "1 hour"},
        {3 * HOUR + 20 * MINUTE, "3 h 20 min"},
        {23 * HOUR, "23 hours"},
        {47 * HOUR + MINUTE, "47 hours"},
        {48 * HOUR + MINUTE, "2 days"},
        {52 * HOUR, "2 days 4 h"},
        {7 * 24 * HOUR + HOUR, "7 days"},
        {INT64_MAX, "106751991167 days"},
    };
    char text[UNITS_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(span_format(cases[i].ms, text), cases[i].text);
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
        TEST(board_judge__newest_is_suspicious__is_suspicious_until_accepted),
        TEST(board_latest__newest_is_damaged__is_the_one_before),
        TEST(board_judge__something_is_away__tells_the_cause_first),
        TEST(board_verdict__each_health__says_what_to_do_and_since_when),
        TEST(span_format__durations__are_said_as_people_do),
        TEST(board_judge__little_room__is_cut),
        TEST(board_error_add__many__keeps_the_newest),
        TEST(board_storage_add__twice__sums_up),
        TEST(board_wake__twice__the_descriptor_is_readable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
