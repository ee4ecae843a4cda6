/* SPDX-License-Identifier: Apache-2.0 */
/* test_api.c: what the routes of the API answer to a board, without a socket between. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/sidecar/web.h"
#include "base/json_read.h"
#include "base/log.h"
#include "base/mem.h"
#include "tests/support/test_common.h"

#define NOW INT64_C(1795430530000)

struct scene {
    struct board board;
    int wake_fd;
    struct web_request request;
    struct web_answer answer;
};

static int
setup(void **state)
{
    struct scene *s = mem_new(sizeof(*s));

    log_setup(STDERR_FILENO, LOG_TEXT, LOG_ERROR);
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    board_init(&s->board, s->wake_fd);
    (void)snprintf(s->board.instance, sizeof(s->board.instance), "shop-cache");
    s->request = (struct web_request){.board = &s->board, .path = "/", .rest = "", .body = ""};
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;

    board_fini(&s->board);
    buf_fini(&s->answer.body);
    (void)close(s->wake_fd);
    free(s);
    return 0;
}

/* The answer of ROUTE as JSON; NULL when it is none. Free it with json_decref(). */
static json_t *
ask(struct scene *s, web_fn *route)
{
    struct err err = ERR_INIT;

    buf_fini(&s->answer.body);
    web_answer_init(&s->answer);
    route(&s->request, &s->answer);
    /* The lock was given back. */
    assert_int_equal(pthread_mutex_trylock(&s->board.mutex), 0);
    board_unlock(&s->board);
    if (strcmp(s->answer.content_type, "application/json") != 0)
        return NULL;
    return json_read_object(s->answer.body.data, s->answer.body.len, &err);
}

/* A plain text, or an error: its status. */
static unsigned
ask_status(struct scene *s, web_fn *route)
{
    json_decref(ask(s, route));
    return s->answer.status;
}

static bool
was_woken(const struct scene *s)
{
    struct pollfd p = {.fd = s->wake_fd, .events = POLLIN};

    return poll(&p, 1, 0) == 1;
}

/* COUNT backups, an hour apart, the last at NOW. */
static void
add_backups(struct scene *s, unsigned count)
{
    struct catalog *c = mem_new(sizeof(*c));

    c->entries = mem_array(count, sizeof(*c->entries));
    c->count = count;
    for (unsigned i = 0; i < count; i++) {
        c->entries[i].taken_ms = c->entries[i].snapshot_ms = NOW - INT64_C(3600000) * (count - 1 - i);
        backup_id_make(c->entries[i].taken_ms, &c->entries[i].id);
        c->entries[i].keys = i;
        c->entries[i].stored_size = 1000;
        (void)snprintf(c->entries[i].method, sizeof(c->entries[i].method), "psync");
    }
    s->board.catalog = c;
}

static void
probes__by_state__are_about_the_process_alone(void **state)
{
    struct scene *s = *state;

    s->board.server = s->board.store = REACH_DOWN;
    assert_int_equal(ask_status(s, web_healthz), 200);
    assert_int_equal(ask_status(s, web_readyz), 503);
    s->board.serving = true;
    assert_int_equal(ask_status(s, web_readyz), 200);
    s->board.stopping = true;
    assert_int_equal(ask_status(s, web_readyz), 503);
    assert_string_equal(s->answer.body.data, "stopping\n");
    assert_int_equal(ask_status(s, web_healthz), 200);
}

static void
backups__never_read__is_503_and_not_an_empty_list(void **state)
{
    struct scene *s = *state;

    assert_int_equal(ask_status(s, api_backups), 503);
    add_backups(s, 0);
    assert_int_equal(ask_status(s, api_backups), 200);
}

static void
backups__with_a_limit__are_the_newest_first(void **state)
{
    static const char *const bad[] = {"0", "201", "-1", "x", "", "1 ", "99999999999999999999"};
    struct scene *s = *state;
    json_t *object;
    const json_t *list;

    add_backups(s, 150);
    object = ask(s, api_backups);
    assert_int_equal(json_array_size(json_object_get(object, "backups")), 100);
    assert_int_equal(json_opt_u64(object, "count", 0), 150);
    json_decref(object);
    s->request.limit = "2";
    object = ask(s, api_backups);
    list = json_object_get(object, "backups");
    assert_int_equal(json_array_size(list), 2);
    assert_int_equal(json_opt_u64(json_array_get(list, 0), "keys", 0), 149);
    assert_int_equal(json_opt_u64(json_array_get(list, 1), "keys", 0), 148);
    json_decref(object);
    s->request.limit = "200";
    object = ask(s, api_backups);
    assert_int_equal(json_array_size(json_object_get(object, "backups")), 150);
    json_decref(object);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        s->request.limit = bad[i];
        assert_int_equal(ask_status(s, api_backups), 400);
    }
}

static void
backup_post__queues_a_job__and_wakes_the_loop(void **state)
{
    struct scene *s = *state;
    char id[JOB_ID_LEN + 1], location[64];
    json_t *object = ask(s, api_backup_post);
    const json_t *job = json_object_get(object, "job");

    assert_int_equal(s->answer.status, 202);
    assert_string_equal(json_opt_str(job, "state", ""), "queued");
    (void)snprintf(id, sizeof(id), "%s", json_opt_str(job, "id", ""));
    (void)snprintf(location, sizeof(location), "/api/v1/jobs/%s", id);
    assert_string_equal(s->answer.location, location);
    assert_false(json_opt_bool(object, "joined", true));
    json_decref(object);
    assert_true(was_woken(s));
    assert_true(jobs_queued(&s->board.jobs, WORK_BACKUP)->triggered);

    object = ask(s, api_backup_post); /* joins */
    assert_true(json_opt_bool(object, "joined", false));
    assert_string_equal(json_opt_str(json_object_get(object, "job"), "id", ""), id);
    json_decref(object);
    assert_int_equal(s->board.jobs.count, 1);

    s->request.rest = id;
    object = ask(s, api_job);
    assert_int_equal(s->answer.status, 200);
    assert_string_equal(json_opt_str(json_object_get(object, "job"), "id", ""), id);
    json_decref(object);
}

static void
backup_post__with_a_body__only_an_empty_object(void **state)
{
    static const char *const bad[] = {"[]", "{\"a\":1}", "x", "{}{}", "null", " ", "{", "{}x", "\"\""};
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        s->request.body = bad[i];
        s->request.body_len = strlen(bad[i]);
        if (ask_status(s, api_backup_post) != 400)
            fail_msg("\"%s\" was taken", bad[i]);
    }
    assert_int_equal(s->board.jobs.count, 0);
    assert_false(was_woken(s));
    s->request.body = " {} \n";
    s->request.body_len = 5;
    assert_int_equal(ask_status(s, api_backup_post), 202);
}

static void
backup_post__while_stopping__is_503(void **state)
{
    struct scene *s = *state;

    s->board.stopping = true;
    assert_int_equal(ask_status(s, api_backup_post), 503);
    assert_int_equal(s->board.jobs.count, 0);
    assert_string_equal(s->answer.location, "");
}

static void
job__that_nobody_knows__is_404(void **state)
{
    static const char *const ids[] = {"0123456789abcdef", "x", "../status", "%00", "0123456789abcdef/x"};
    struct scene *s = *state;

    (void)ask_status(s, api_backup_post);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        s->request.rest = ids[i];
        assert_int_equal(ask_status(s, api_job), 404);
    }
}

static void
status__of_an_empty_board__has_every_member(void **state)
{
    static const char *const members[] = {"health", "server", "store", "schedules", "running", "queued", "errors"};
    struct scene *s = *state;
    json_t *object = ask(s, api_status);

    assert_non_null(object);
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        assert_non_null(json_object_get(object, members[i]));
    assert_true(json_is_null(json_object_get(object, "backups")));
    assert_int_equal(json_array_size(json_object_get(object, "schedules")), WORK_KINDS);
    json_decref(object);
}

static void
status__of_a_full_board__tells_what_is_so(void **state)
{
    struct scene *s = *state;
    json_t *object;
    const json_t *backups;

    add_backups(s, 5);
    s->board.catalog->entries[4].suspicious = true;
    s->board.catalog->entries[3].state = CATALOG_DAMAGED;
    s->board.catalog->entries[3].problem = mem_strdup("cut off");
    s->board.catalog->entries[3].stored_size = 0; /* its manifest would have told it */
    s->board.catalog->entries[0].held = true;
    s->board.server = REACH_DENIED;
    s->board.kinds[WORK_BACKUP].failures[6] = 2;
    for (int i = 0; i < BOARD_ERRORS + 3; i++)
        board_error_add(&s->board, "backup", i, "bad \xff bytes, \"quotes\" and <tags>", NOW + i);
    (void)ask_status(s, api_backup_post);
    object = ask(s, api_status);
    backups = json_object_get(object, "backups");
    assert_int_equal(json_opt_u64(backups, "count", 0), 5);
    assert_int_equal(json_opt_u64(backups, "damaged", 0), 1);
    assert_int_equal(json_opt_u64(backups, "suspicious", 0), 1);
    assert_int_equal(json_opt_u64(backups, "held", 0), 1);
    assert_int_equal(json_opt_u64(backups, "stored_size", 0), 4000);
    assert_int_equal(json_opt_u64(json_object_get(backups, "latest"), "keys", 0), 2);
    assert_string_equal(json_opt_str(json_object_get(object, "server"), "state", ""), "denied");
    assert_int_equal(json_array_size(json_object_get(object, "queued")), 1);
    assert_int_equal(json_array_size(json_object_get(object, "errors")), BOARD_ERRORS);
    assert_int_equal(json_opt_u64(json_array_get(json_object_get(object, "errors"), 0), "exit_status", 0),
                     BOARD_ERRORS + 2);
    assert_int_equal(
        json_opt_u64(json_object_get(json_array_get(json_object_get(object, "schedules"), 0), "failures"), "6", 0), 2);
    json_decref(object);
}

static void
answer__larger_than_allowed__is_500_and_not_half(void **state)
{
    struct scene *s = *state;
    char *text = mem_new(WEB_ANSWER_MAX + 1);
    json_t *object = json_object();

    memset(text, 'x', WEB_ANSWER_MAX);
    assert_int_equal(json_object_set_new(object, "text", json_string(text)), 0);
    free(text);
    web_answer_init(&s->answer);
    web_answer_json_take(&s->answer, object);
    assert_int_equal(s->answer.status, 500);
    assert_true(s->answer.body.len < 1000);
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(probes__by_state__are_about_the_process_alone),
        SCENE(backups__never_read__is_503_and_not_an_empty_list),
        SCENE(backups__with_a_limit__are_the_newest_first),
        SCENE(backup_post__queues_a_job__and_wakes_the_loop),
        SCENE(backup_post__with_a_body__only_an_empty_object),
        SCENE(backup_post__while_stopping__is_503),
        SCENE(job__that_nobody_knows__is_404),
        SCENE(status__of_an_empty_board__has_every_member),
        SCENE(status__of_a_full_board__tells_what_is_so),
        SCENE(answer__larger_than_allowed__is_500_and_not_half),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
