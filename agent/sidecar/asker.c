/* SPDX-License-Identifier: Apache-2.0 */
/* asker.c: see asker.h. The questions that wait are few: one of a kind and work. */
#include "agent/sidecar/asker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/open_repo.h"
#include "agent/sidecar/ask_server.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/units.h"

#define QUESTIONS_MAX (2 * QUESTION_KINDS * WORK_KINDS) /* far more than a loop that takes its answers puts */
#define RETRY_MAX_MS  30000
#define STALL_MAX_MS  15000 /* what is asked here is small: nobody needs longer for it, and slots wait behind it */
#define NONCE_LEN     16

/* Our claim of a kind of work: the nonce stays while the slot does. Of the thread alone. */
struct claim {
    int64_t slot_ms, made_ms; /* made: boot clock, when the nonce was last found to hold the slot; 0: not yet */
    char nonce[2 * NONCE_LEN + 1];
};

struct asker {
    struct config config; /* a copy that owns nothing */
    char claimer[256];
    int wake_fd;
    struct claim claims[WORK_KINDS];
    pthread_t thread;
    struct answer answer; /* in the making: threads have little stack on some systems */

    pthread_mutex_t mutex; /* guards all that follows */
    pthread_cond_t asked, ended;
    struct question questions[QUESTIONS_MAX];
    struct answer answers[QUESTIONS_MAX + 1];
    size_t question_count, answer_count;
    bool busy, stop, over;
    struct question current; /* while busy */
};

static bool
is_same(const struct question *a, const struct question *b)
{
    return a->kind == b->kind && (a->kind < ASK_TAKE || (a->work == b->work && a->slot_ms == b->slot_ms));
}

/* ---- the store --------------------------------------------------------------------------------------------------- */

static int
ask_store(const struct asker *a, const struct question *q, struct answer *out, struct err *err)
{
    struct opened opened = {0};
    int rc = open_repo_instance(&a->config, OPEN_REPO_READ, &opened, err);

    if (rc == 0 && q->kind == ASK_CATALOG)
        rc = catalog_reload(&opened.repo, a->config.instance, q->known, &out->catalog, err);
    open_repo_close(&opened);
    return rc;
}

static void
new_nonce(struct claim *claim)
{
    uint8_t bytes[NONCE_LEN];

    digest_random(bytes, sizeof(bytes));
    units_hex(bytes, sizeof(bytes), claim->nonce);
    claim->made_ms = 0;
}

/* The claim of the slot in hand. An agent whose jobs fail again and again is not to keep others from the slot: its
 * claim is good for half of the stall time, in which nobody could have followed, and is then let grow old. */
static struct claim *
renew_claim(struct asker *a, const struct question *q)
{
    struct claim *claim = &a->claims[q->work];
    bool old = claim->made_ms != 0 && clock_boot_ms() - claim->made_ms > a->config.stall_timeout_ms / 2;

    if (claim->slot_ms != q->slot_ms || (q->again && old))
        new_nonce(claim);
    claim->slot_ms = q->slot_ms;
    return claim;
}

/* The claim of Q's slot: a mark that comes late, for a slot that is not in hand any more, leaves the one that is. */
static struct claim *
find_claim(struct asker *a, const struct question *q, struct claim *late)
{
    if (q->kind != ASK_DONE || a->claims[q->work].slot_ms == q->slot_ms)
        return renew_claim(a, q);
    new_nonce(late);
    return late;
}

static int
ask_slot(struct asker *a, const struct question *q, struct answer *out, struct err *err)
{
    struct claim late = {.slot_ms = q->slot_ms}, *claim = find_claim(a, q, &late);
    const struct slot_claim as = {.kind = work_name(q->work),
                                  .slot_ms = q->slot_ms,
                                  .claimer = a->claimer,
                                  .nonce = claim->nonce,
                                  .stall_ms = a->config.stall_timeout_ms};
    struct opened opened = {0};
    int rc;

    out->outcome = SLOT_OURS;
    if (q->again && claim->made_ms != 0)
        return 0;
    rc = open_repo_instance(&a->config, OPEN_REPO_WRITE, &opened, err);
    if (rc == 0 && q->kind == ASK_DONE)
        rc = slot_done(&opened.repo, a->config.instance, &as, err);
    else if (rc == 0)
        rc = slot_take(&opened.repo, a->config.instance, &as, &out->outcome, &out->again_in_ms, err);
    if (rc == 0 && q->kind != ASK_DONE && out->outcome == SLOT_OURS && (claim->made_ms == 0 || q->kind == ASK_KEEP))
        claim->made_ms = clock_boot_ms();
    open_repo_close(&opened);
    return rc;
}

/* ---- the thread -------------------------------------------------------------------------------------------------- */

static void
find_answer(struct asker *a, const struct question *q, struct answer *out)
{
    int rc = 0;

    memset(out, 0, sizeof(*out));
    out->question = *q;
    err_clear(&out->err);
    switch (q->kind) {
    case ASK_SERVER:
        rc = ask_server(&a->config, out, &out->err);
        break;
    case ASK_STORE:
    case ASK_CATALOG:
        rc = ask_store(a, q, out, &out->err);
        break;
    case ASK_TAKE:
    case ASK_KEEP:
    case ASK_DONE:
        rc = ask_slot(a, q, out, &out->err);
        break;
    case QUESTION_KINDS:
        REQUIRE(false);
    }
    if (rc == 0)
        err_clear(&out->err);
    REQUIRE(rc == 0 || out->err.code != ERR_NONE);
}

/* Take the next question out of those that wait: slots first, since work waits for them. */
static struct question
next_question(struct asker *a)
{
    size_t best = 0;
    struct question q;

    for (size_t i = 1; i < a->question_count; i++) {
        bool slot = a->questions[i].kind >= ASK_TAKE, best_slot = a->questions[best].kind >= ASK_TAKE;

        if (slot != best_slot ? slot : a->questions[i].kind < a->questions[best].kind)
            best = i;
    }
    q = a->questions[best];
    a->question_count--;
    memmove(&a->questions[best], &a->questions[best + 1], (a->question_count - best) * sizeof(*a->questions));
    return q;
}

static void *
run(void *arg)
{
    struct asker *a = arg;

    (void)pthread_mutex_lock(&a->mutex);
    for (;;) {
        const uint64_t one = 1;

        while (!a->stop && a->question_count == 0)
            (void)pthread_cond_wait(&a->asked, &a->mutex);
        if (a->stop)
            break;
        a->current = next_question(a);
        a->busy = true;
        (void)pthread_mutex_unlock(&a->mutex);
        find_answer(a, &a->current, &a->answer);
        (void)pthread_mutex_lock(&a->mutex);
        a->busy = false;
        REQUIRE(a->answer_count < QUESTIONS_MAX + 1);
        a->answers[a->answer_count++] = a->answer;
        (void)!write(a->wake_fd, &one, sizeof(one));
    }
    a->over = true;
    (void)pthread_cond_signal(&a->ended);
    (void)pthread_mutex_unlock(&a->mutex);
    return NULL;
}

/* ---- the loop's side --------------------------------------------------------------------------------------------- */

/* Its end is waited for by a clock that nobody sets. */
static void
make_locks(struct asker *a)
{
    pthread_condattr_t by_mono;

    REQUIRE(pthread_condattr_init(&by_mono) == 0 && pthread_condattr_setclock(&by_mono, CLOCK_MONOTONIC) == 0);
    REQUIRE(pthread_mutex_init(&a->mutex, NULL) == 0 && pthread_cond_init(&a->asked, NULL) == 0 &&
            pthread_cond_init(&a->ended, &by_mono) == 0);
    (void)pthread_condattr_destroy(&by_mono);
}

static void
free_all(struct asker *a)
{
    for (size_t i = 0; i < a->answer_count; i++)
        catalog_free(a->answers[i].catalog);
    (void)pthread_cond_destroy(&a->asked);
    (void)pthread_cond_destroy(&a->ended);
    (void)pthread_mutex_destroy(&a->mutex);
    free(a);
}

struct asker *
asker_start(const struct config *config, const char *claimer, int wake_fd, struct err *err)
{
    struct asker *a = mem_new(sizeof(*a));
    sigset_t all, before;
    int failed;

    a->config = *config;
    a->config.owned = NULL;
    if (a->config.retry_for_ms > RETRY_MAX_MS)
        a->config.retry_for_ms = RETRY_MAX_MS;
    a->config.s3_stall_ms = a->config.retry_for_ms < STALL_MAX_MS ? a->config.retry_for_ms : STALL_MAX_MS;
    (void)snprintf(a->claimer, sizeof(a->claimer), "%s", claimer);
    a->wake_fd = wake_fd;
    make_locks(a);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* the loop sees the signals */
    failed = pthread_create(&a->thread, NULL, run, a);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed == 0)
        return a;
    free_all(a);
    (void)err_sys(err, ERR_NO_SPACE, failed, "start the thread that asks");
    return NULL;
}

bool
asker_ask(struct asker *a, const struct question *q)
{
    bool waits = false;

    (void)pthread_mutex_lock(&a->mutex);
    for (size_t i = 0; i < a->question_count; i++)
        waits = waits || is_same(&a->questions[i], q);
    for (size_t i = 0; i < a->answer_count; i++) /* a catalogue that was read and not looked at yet will do */
        waits = waits || is_same(&a->answers[i].question, q);
    /* Each question that is put has a place for its answer. */
    if (!waits && !a->stop && a->question_count + a->answer_count + (a->busy ? 1 : 0) < QUESTIONS_MAX) {
        a->questions[a->question_count++] = *q;
        (void)pthread_cond_signal(&a->asked);
        waits = true;
    }
    (void)pthread_mutex_unlock(&a->mutex);
    return waits;
}

bool
asker_take(struct asker *a, struct answer *out)
{
    bool some;

    (void)pthread_mutex_lock(&a->mutex);
    some = a->answer_count > 0;
    if (some) {
        *out = a->answers[0];
        a->answer_count--;
        memmove(&a->answers[0], &a->answers[1], a->answer_count * sizeof(*a->answers));
    }
    (void)pthread_mutex_unlock(&a->mutex);
    return some;
}

bool
asker_is_busy(struct asker *a, enum question_kind kind)
{
    bool busy;

    (void)pthread_mutex_lock(&a->mutex);
    busy = a->busy && a->current.kind == kind;
    for (size_t i = 0; i < a->question_count; i++)
        busy = busy || a->questions[i].kind == kind;
    for (size_t i = 0; i < a->answer_count; i++)
        busy = busy || a->answers[i].question.kind == kind;
    (void)pthread_mutex_unlock(&a->mutex);
    return busy;
}

bool
asker_stop(struct asker *a, int64_t limit_ms)
{
    int64_t until_ms = clock_mono_ms() + limit_ms;
    const struct timespec until = {.tv_sec = (time_t)(until_ms / 1000), .tv_nsec = (long)(until_ms % 1000) * 1000000};
    bool over;
    int waited = 0;

    if (a == NULL)
        return true;
    (void)pthread_mutex_lock(&a->mutex);
    a->stop = true;
    (void)pthread_cond_signal(&a->asked);
    while (!a->over && waited == 0)
        waited = pthread_cond_timedwait(&a->ended, &a->mutex, &until);
    over = a->over;
    (void)pthread_mutex_unlock(&a->mutex);
    if (!over || pthread_join(a->thread, NULL) != 0)
        return false;
    free_all(a);
    return true;
}
