/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/test_common.h"

#include <string.h>

#include "agent/sidecar/job.h"

static struct job *
add(struct jobs *j, enum work kind, bool triggered)
{
    bool joined;
    struct job *job = jobs_add(j, kind, triggered, 5000, 6000, &joined);

    assert_false(joined);
    return job;
}

static void
jobs_add__scheduled__is_queued_with_its_slot(void **state)
{
    struct jobs j;
    struct job *job;

    (void)state;
    jobs_init(&j);
    job = add(&j, WORK_VERIFY, false);
    assert_int_equal(strlen(job->id), JOB_ID_LEN);
    assert_int_equal(job->state, JOB_QUEUED);
    assert_int_equal(job->slot_ms, 5000);
    assert_int_equal(job->queued_ms, 6000);
    assert_ptr_equal(jobs_find(&j, job->id), job);
    assert_null(jobs_find(&j, "0000"));
    assert_ptr_equal(jobs_queued(&j, WORK_VERIFY), job);
    assert_null(jobs_queued(&j, WORK_BACKUP));
    jobs_fini(&j);
}

static void
jobs_add__triggered_while_one_is_queued__joins_it(void **state)
{
    struct jobs j;
    struct job *job;
    bool joined = false;

    (void)state;
    jobs_init(&j);
    job = add(&j, WORK_BACKUP, true);
    assert_int_equal(job->slot_ms, 0);
    assert_ptr_equal(jobs_add(&j, WORK_BACKUP, true, 0, 7000, &joined), job);
    assert_true(joined);
    job->state = JOB_RUNNING; /* what it reads may be older than the request: no joining any more */
    assert_ptr_not_equal(jobs_add(&j, WORK_BACKUP, true, 0, 7000, &joined), job);
    assert_false(joined);
    assert_int_equal(j.count, 2);
    jobs_fini(&j);
}

static void
jobs_next__several_queued__backup_goes_first_and_one_at_a_time(void **state)
{
    struct jobs j;

    (void)state;
    jobs_init(&j);
    assert_null(jobs_next(&j));
    (void)add(&j, WORK_PRUNE, false);
    (void)add(&j, WORK_VERIFY, false);
    assert_int_equal(jobs_next(&j)->kind, WORK_PRUNE);
    (void)add(&j, WORK_BACKUP, true);
    assert_int_equal(jobs_next(&j)->kind, WORK_BACKUP);
    jobs_queued(&j, WORK_PRUNE)->state = JOB_RUNNING;
    assert_null(jobs_next(&j));
    job_end(jobs_running(&j, WORK_PRUNE), 0, "", NULL, 8000);
    assert_int_equal(jobs_next(&j)->kind, WORK_BACKUP);
    jobs_fini(&j);
}

static void
jobs_add__full__oldest_ended_makes_room(void **state)
{
    struct jobs j;
    char oldest[JOB_ID_LEN + 1], waiting[JOB_ID_LEN + 1], last[JOB_ID_LEN + 1];

    (void)state;
    jobs_init(&j);
    memcpy(waiting, add(&j, WORK_PRUNE, false)->id, sizeof(waiting));
    memcpy(oldest, add(&j, WORK_BACKUP, false)->id, sizeof(oldest));
    for (size_t i = 2; i < JOBS_KEPT; i++) {
        job_end(jobs_queued(&j, WORK_BACKUP), 0, "", json_pack("{s:s}", "id", "X"), 7000);
        memcpy(last, add(&j, WORK_BACKUP, false)->id, sizeof(last));
    }
    assert_int_equal(j.count, JOBS_KEPT);
    assert_non_null(jobs_find(&j, oldest));
    (void)add(&j, WORK_VERIFY, false);
    assert_int_equal(j.count, JOBS_KEPT);
    assert_null(jobs_find(&j, oldest));
    assert_non_null(jobs_find(&j, waiting));
    assert_ptr_equal(jobs_queued(&j, WORK_BACKUP), jobs_find(&j, last));
    assert_ptr_equal(jobs_queued(&j, WORK_VERIFY), &j.jobs[JOBS_KEPT - 1]);
    jobs_fini(&j);
}

static void
expect_json(const struct job *job, const char *expected)
{
    json_t *object = job_json(job);
    char *text = json_dumps(object, JSON_COMPACT);

    assert_string_equal(text, expected);
    free(text);
    json_decref(object);
}

static void
job_json__each_state__says_what_is_known(void **state)
{
    struct jobs j;
    struct job *job;

    (void)state;
    jobs_init(&j);
    job = add(&j, WORK_BACKUP, false);
    strcpy(job->id, "0123456789abcdef");
    expect_json(job, "{\"id\":\"0123456789abcdef\",\"kind\":\"backup\",\"state\":\"queued\",\"triggered\":false,"
                     "\"slot\":\"1970-01-01T00:00:05Z\",\"queued\":\"1970-01-01T00:00:06Z\",\"started\":null,"
                     "\"ended\":null,\"progress\":null,\"exit_status\":null,\"error\":null,\"backup_id\":null,"
                     "\"result\":null}");
    job->state = JOB_RUNNING;
    job->started_ms = 7000;
    job->progress = (struct progress){.phase = PROGRESS_STORING, .done = 1, .total = 2, .stored = 3};
    expect_json(job, "{\"id\":\"0123456789abcdef\",\"kind\":\"backup\",\"state\":\"running\",\"triggered\":false,"
                     "\"slot\":\"1970-01-01T00:00:05Z\",\"queued\":\"1970-01-01T00:00:06Z\","
                     "\"started\":\"1970-01-01T00:00:07Z\",\"ended\":null,"
                     "\"progress\":{\"phase\":\"storing\",\"done\":1,\"total\":2,\"stored\":3},\"exit_status\":null,"
                     "\"error\":null,\"backup_id\":null,\"result\":null}");
    job_end(job, 0, "", json_pack("{s:s}", "id", "20261122T000000Z-000001"), 8000);
    assert_string_equal(job->backup_id, "20261122T000000Z-000001");
    expect_json(job, "{\"id\":\"0123456789abcdef\",\"kind\":\"backup\",\"state\":\"succeeded\",\"triggered\":false,"
                     "\"slot\":\"1970-01-01T00:00:05Z\",\"queued\":\"1970-01-01T00:00:06Z\","
                     "\"started\":\"1970-01-01T00:00:07Z\",\"ended\":\"1970-01-01T00:00:08Z\",\"progress\":null,"
                     "\"exit_status\":0,\"error\":null,\"backup_id\":\"20261122T000000Z-000001\","
                     "\"result\":{\"id\":\"20261122T000000Z-000001\"}}");
    jobs_fini(&j);
}

static void
job_end__failed__keeps_the_sentence_and_no_id(void **state)
{
    struct jobs j;
    struct job *job;

    (void)state;
    jobs_init(&j);
    job = add(&j, WORK_BACKUP, true);
    job_end(job, 8, "the server is away", json_pack("{s:s}", "id", "X"), 8000);
    assert_int_equal(job->state, JOB_FAILED);
    assert_int_equal(job->exit_status, 8);
    assert_string_equal(job->error, "the server is away");
    assert_string_equal(job->backup_id, "");
    jobs_fini(&j);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_add__scheduled__is_queued_with_its_slot),
        cmocka_unit_test(jobs_add__triggered_while_one_is_queued__joins_it),
        cmocka_unit_test(jobs_next__several_queued__backup_goes_first_and_one_at_a_time),
        cmocka_unit_test(jobs_add__full__oldest_ended_makes_room),
        cmocka_unit_test(job_json__each_state__says_what_is_known),
        cmocka_unit_test(job_end__failed__keeps_the_sentence_and_no_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
