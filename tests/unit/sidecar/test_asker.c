/* SPDX-License-Identifier: Apache-2.0 */
/* With a repository in a folder, and a server that answers as it is told to. */
#include "tests/support/test_common.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/sidecar/asker.h"
#include "base/clock.h"
#include "base/mem.h"
#include "snapshot/repo/repo.h"
#include "storage/store_file.h"
#include "tests/support/fake_redis.h"

#define SLOT ((int64_t)1795000000000)

struct scene {
    char dir[256], url[300];
    struct config config;
    int wake_fd;
    struct asker *asker;
    struct answer answer;
    struct err err;
};

static void
start(struct scene *s)
{
    s->asker = asker_start(&s->config, "pod-0", s->wake_fd, &s->err);
    assert_non_null(s->asker);
}

static void
make_repository(struct scene *s)
{
    struct store *store = store_file_open(s->dir, 0, &s->err);
    struct repo_made made;

    assert_non_null(store);
    assert_ok(repo_init(store, "shop", &made, &s->err), &s->err);
    store_free(store);
}

static int
setup(void **state)
{
    struct scene *s = mem_new(sizeof(*s));

    test_make_dir(s->dir);
    s->wake_fd = eventfd(0, EFD_NONBLOCK);
    s->config = (struct config){.repo = s->dir, .instance = "shop", .stall_timeout_ms = 60000, .retry_for_ms = 1000};
    start(s);
    *state = s;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *s = *state;
    bool ended = asker_stop(s->asker, 10000);

    (void)close(s->wake_fd);
    test_remove_dir(s->dir);
    free(s);
    return ended ? 0 : -1;
}

/* Put it and wait for the answer, which goes to s->answer. */
static const struct answer *
ask(struct scene *s, const struct question *q)
{
    struct pollfd fd = {.fd = s->wake_fd, .events = POLLIN};
    uint64_t n;

    asker_ask(s->asker, q);
    assert_true(asker_is_busy(s->asker, q->kind));
    assert_int_equal(poll(&fd, 1, 20000), 1);
    assert_int_equal(read(s->wake_fd, &n, sizeof(n)), sizeof(n));
    assert_true(asker_take(s->asker, &s->answer));
    assert_int_equal(s->answer.question.kind, q->kind);
    assert_false(asker_is_busy(s->asker, q->kind));
    return &s->answer;
}

static void
ask_store__made_later__is_found_then(void **state)
{
    struct scene *s = *state;

    assert_int_equal(ask(s, &(struct question){.kind = ASK_STORE})->err.code, ERR_NOT_FOUND);
    assert_int_equal(ask(s, &(struct question){.kind = ASK_CATALOG})->err.code, ERR_NOT_FOUND);
    assert_null(s->answer.catalog);
    make_repository(s);
    assert_int_equal(ask(s, &(struct question){.kind = ASK_STORE})->err.code, ERR_NONE);
    assert_int_equal(ask(s, &(struct question){.kind = ASK_CATALOG})->err.code, ERR_NONE);
    assert_int_equal(s->answer.catalog->count, 0);
    catalog_free(s->answer.catalog);
    assert_false(asker_take(s->asker, &s->answer));
}

static void
ask_slot__two_agents__one_has_it_until_it_is_done(void **state)
{
    struct scene *s = *state;
    struct scene other = *s;
    const struct question take = {.kind = ASK_TAKE, .work = WORK_BACKUP, .slot_ms = SLOT},
                          done = {.kind = ASK_DONE, .work = WORK_BACKUP, .slot_ms = SLOT},
                          keep = {.kind = ASK_KEEP, .work = WORK_BACKUP, .slot_ms = SLOT};

    make_repository(s);
    other.wake_fd = eventfd(0, EFD_NONBLOCK);
    start(&other);
    assert_int_equal(ask(s, &take)->err.code, ERR_NONE);
    assert_int_equal(s->answer.outcome, SLOT_OURS);
    assert_int_equal(ask(&other, &take)->outcome, SLOT_TAKEN);
    assert_in_range(other.answer.again_in_ms, 1, 60000);
    assert_int_equal(ask(s, &keep)->outcome, SLOT_OURS);
    assert_int_equal(ask(s, &done)->err.code, ERR_NONE);
    assert_int_equal(ask(&other, &take)->outcome, SLOT_DONE);
    assert_true(asker_stop(other.asker, 10000));
    (void)close(other.wake_fd);
}

static void
ask_slot__job_failed_again_and_again__others_get_their_chance(void **state)
{
    struct scene *s = *state;
    const struct question take = {.kind = ASK_TAKE, .work = WORK_BACKUP, .slot_ms = SLOT},
                          again = {.kind = ASK_TAKE, .work = WORK_BACKUP, .slot_ms = SLOT, .again = true};

    make_repository(s);
    assert_true(asker_stop(s->asker, 10000));
    s->config.stall_timeout_ms = 3000;
    start(s);
    assert_int_equal(ask(s, &take)->outcome, SLOT_OURS);
    assert_int_equal(ask(s, &again)->outcome, SLOT_OURS);
    clock_sleep_ms(1600); /* half of the stall time: from now on it grows old */
    assert_int_equal(ask(s, &again)->outcome, SLOT_TAKEN);
    assert_in_range(s->answer.again_in_ms, 1, 1500);
    clock_sleep_ms(s->answer.again_in_ms + 100);
    assert_int_equal(ask(s, &again)->outcome, SLOT_OURS);
}

static void
ask_done__late_for_an_earlier_slot__claim_in_hand_stays_ours(void **state)
{
    struct scene *s = *state;
    const struct question take = {ASK_TAKE, WORK_BACKUP, SLOT + 60000, false, NULL},
                          done = {ASK_DONE, WORK_BACKUP, SLOT, false, NULL},
                          keep = {ASK_KEEP, WORK_BACKUP, SLOT + 60000, false, NULL};

    make_repository(s);
    assert_int_equal(ask(s, &take)->outcome, SLOT_OURS);
    assert_int_equal(ask(s, &done)->err.code, ERR_NONE);
    assert_int_equal(ask(s, &keep)->err.code, ERR_NONE);
    assert_int_equal(s->answer.outcome, SLOT_OURS);
    assert_int_equal(ask(s, &(struct question){ASK_TAKE, WORK_BACKUP, SLOT, false, NULL})->outcome, SLOT_DONE);
}

/* Answers that nobody takes fill the room too. */
static void
asker_ask__too_many__says_so(void **state)
{
    struct scene *s = *state;
    bool put = true;
    int n = 0;

    make_repository(s);
    for (; put && n < 1000; n++) {
        put = asker_ask(s->asker, &(struct question){ASK_KEEP, WORK_BACKUP, SLOT + n * 1000, false, NULL});
        if (put) /* the same once more is not put twice */
            assert_true(asker_ask(s->asker, &(struct question){ASK_KEEP, WORK_BACKUP, SLOT + n * 1000, false, NULL}));
    }
    assert_in_range(n, 10, 200);
}

struct server {
    const char *info; /* NULL: denied */
    const char *role;
};

#define DENIED "-NOPERM this user has no permissions to run this command\r\n"

static void
on_command(const struct reply *command, struct fake_answer *answer, void *cookie)
{
    const struct server *s = cookie;

    if (!fake_redis_word_is(command, 0, "INFO"))
        fake_answer_raw(answer, s->role);
    else if (s->info != NULL)
        fake_answer_bulk(answer, s->info);
    else
        fake_answer_raw(answer, DENIED);
}

static const struct answer *
ask_fake(struct scene *s, struct server *server)
{
    struct fake_redis *fake = fake_redis_start(on_command, server);
    struct endpoint e;

    fake_redis_endpoint(fake, &e);
    (void)snprintf(s->url, sizeof(s->url), "%s", endpoint_describe(&e));
    endpoint_fini(&e);
    assert_true(asker_stop(s->asker, 10000));
    s->config.redis_url = s->url;
    start(s);
    (void)ask(s, &(struct question){.kind = ASK_SERVER});
    fake_redis_stop(fake);
    return &s->answer;
}

#define MASTER "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"

static void
ask_server__each_state__is_told(void **state)
{
    struct scene *s = *state;
    struct server up = {"redis_version:7.0.15\r\nrun_id:x\r\nloading:0\r\nused_memory:9\r\nlatest_fork_usec:77\r\n"
                        "# Keyspace\r\ndb0:keys=5,expires=0\r\n",
                        MASTER},
                  loading = {"loading:1\r\n", "-LOADING\r\n"}, no_info = {NULL, MASTER}, nothing = {NULL, DENIED};

    assert_int_equal(ask_fake(s, &up)->err.code, ERR_NONE);
    assert_string_equal(s->answer.server.role, "master");
    assert_string_equal(s->answer.server.version, "7.0.15");
    assert_int_equal(s->answer.keys, 5);
    assert_int_equal(s->answer.fork_us, 77);
    assert_int_equal(ask_fake(s, &loading)->err.code, ERR_SERVER);
    assert_non_null(strstr(s->answer.err.msg, "loading"));
    assert_int_equal(ask_fake(s, &no_info)->err.code, ERR_NONE);
    assert_string_equal(s->answer.server.role, "master");
    assert_int_equal(ask_fake(s, &nothing)->err.code, ERR_SERVER_DENIED);
    assert_int_equal(ask(s, &(struct question){.kind = ASK_SERVER})->err.code, ERR_SERVER); /* it is gone */
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(ask_store__made_later__is_found_then),
        TEST(ask_slot__two_agents__one_has_it_until_it_is_done),
        TEST(ask_slot__job_failed_again_and_again__others_get_their_chance),
        TEST(ask_done__late_for_an_earlier_slot__claim_in_hand_stays_ours),
        TEST(asker_ask__too_many__says_so),
        TEST(ask_server__each_state__is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
