/* SPDX-License-Identifier: Apache-2.0 */
/* slot.c: see slot.h. Claiming and marking as done; slot_sweep.c removes. */
#include "snapshot/repo/slot.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "base/units.h"
#include "snapshot/repo/layout.h"

#define ROUNDS         4 /* of looking and putting; more are needed only where listings lag */
#define SHORTEST_PAUSE ((int64_t)1000)
#define OBJECT_MAX     4096u
#define NONCE_MAX      128
#define SLACK_MS       ((int64_t)60000) /* of clocks that are right */

/* What there is of a slot. */
struct standing {
    bool claimed, done;
    bool ours;        /* the claim that counts */
    unsigned number;  /* of it */
    int64_t mtime_ms; /* when it was put */
    int64_t age_ms;
    int64_t done_ms; /* when the mark was put */
    bool spent;      /* the claim is of the work that the mark told of, and both count for nothing */
};

/* ---- the objects ------------------------------------------------------------------------------------------------- */

/* What they hold. PROOF: of a put that is to be refused, whose bytes must differ. Caller frees. */
static char *
object_text(const struct repo *repo, const struct slot_claim *claim, bool proof)
{
    char when[UNITS_TEXT_MAX], slot[UNITS_TEXT_MAX], *line, *text;
    json_t *o =
        json_pack("{ss ss ss* ss}", "slot", units_format_time(claim->slot_ms, slot), "time",
                  units_format_time_ms(repo_now_ms(repo), when), "claimer", claim->claimer, "nonce", claim->nonce);

    REQUIRE(o != NULL);
    if (proof)
        REQUIRE(json_object_set_new(o, "proof", json_true()) == 0);
    line = json_write_line(o);
    text = mem_printf("%s\n", line);
    free(line);
    json_decref(o);
    return text;
}

static int
put_object(const struct repo *repo, const struct slot_claim *claim, const char *key, bool create, bool proof,
           struct err *err)
{
    char *text = object_text(repo, claim, proof);
    struct store_put put = {.key = key, .data = text, .len = strlen(text), .flags = create ? STORE_PUT_CREATE : 0};
    int rc = store_put(repo->store, &put, err);

    free(text);
    return rc;
}

/* The nonce that KEY holds. "": what cannot be understood, which is somebody else's, and what prune has just taken
 * away.
 */
static int
read_nonce(const struct repo *repo, const char *key, char nonce[NONCE_MAX], struct err *err)
{
    struct err unused = ERR_INIT;
    json_t *object;
    char *data;
    size_t len;

    nonce[0] = '\0';
    if (store_get_all(repo->store, key, OBJECT_MAX, &data, &len, err) < 0) {
        if (err->code != ERR_CORRUPT && err->code != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
        return 0;
    }
    object = json_read_object(data, len, &unused);
    (void)snprintf(nonce, NONCE_MAX, "%s", object != NULL ? json_opt_str(object, "nonce", "") : "");
    json_decref(object);
    free(data);
    return 0;
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

static bool
see(const struct store_object *object, void *cookie)
{
    struct standing *st = cookie;
    struct layout_slot slot;

    if (!layout_parse_slot(object->key, &slot)) /* other names are not ours and are left alone */
        return true;
    if (slot.done) {
        st->done = true;
        st->done_ms = object->mtime_ms;
    } else if (!st->claimed || slot.number > st->number) {
        st->claimed = true;
        st->number = slot.number;
        st->mtime_ms = object->mtime_ms;
    }
    return true;
}

/* Does the mark that the slot was done count? See slot.h. */
static int
judge_mark(const struct repo *repo, const char *instance, const struct slot_claim *claim, struct standing *st,
           int64_t now_ms, struct err *err)
{
    int64_t slack_ms = claim->distance_ms < SLACK_MS ? claim->distance_ms : SLACK_MS;
    char nonce[NONCE_MAX] = "";
    bool by_that_one;
    struct layout_key key;

    layout_slot_done(&key, instance, claim->kind, claim->slot_ms);
    if (claim->not_by != NULL && read_nonce(repo, key.text, nonce, err) < 0)
        return -1;
    by_that_one = claim->not_by != NULL && strncmp(nonce, claim->not_by, strlen(claim->not_by)) == 0;
    if (!by_that_one && (claim->distance_ms == 0 || now_ms - st->done_ms <= claim->distance_ms + slack_ms))
        return 0;
    st->done = false;
    st->spent = st->claimed && st->mtime_ms <= st->done_ms; /* else somebody does it again already */
    return 0;
}

static int
look(const struct repo *repo, const char *instance, const struct slot_claim *claim, struct standing *st,
     struct err *err)
{
    char nonce[NONCE_MAX];
    struct layout_key key;
    int64_t now;

    memset(st, 0, sizeof(*st));
    layout_slot(&key, instance, claim->kind, claim->slot_ms);
    if (store_list(repo->store, &(struct store_list){.prefix = key.text}, see, st, err) < 0)
        return -1;
    if (!st->done && !st->claimed)
        return 0;
    if (store_now(repo->store, &now, err) < 0 || (st->done && judge_mark(repo, instance, claim, st, now, err) < 0))
        return -1;
    if (st->done || !st->claimed || st->spent)
        return 0;
    layout_slot_claim(&key, instance, claim->kind, claim->slot_ms, st->number);
    /* A store's clock that was put back must not make a claim last for ever. */
    st->age_ms = now - st->mtime_ms > 0 ? now - st->mtime_ms : 0;
    if (read_nonce(repo, key.text, nonce, err) < 0)
        return -1;
    st->ours = strcmp(nonce, claim->nonce) == 0;
    return 0;
}

/* ---- claiming ---------------------------------------------------------------------------------------------------- */

/* The claim KEY was put create-only, and is ours: does the store mean it? It must refuse another one. If not, it loses
 * that feature, and what is there says who has the slot. */
static int
prove(const struct repo *repo, const struct slot_claim *claim, const char *key, struct err *err)
{
    if (put_object(repo, claim, key, true, true, err) == 0) {
        store_drop_features(repo->store, STORE_CREATE_ONLY);
        return 0;
    }
    if (err->code != ERR_EXISTS && err->code != ERR_STORE_DENIED && err->code != ERR_UNSUPPORTED)
        return -1;
    err_clear(err);
    return 0;
}

/* Put claim NUMBER. *CERTAIN: it is ours and the store has shown that nobody else can have it; else look again. */
static int
put_claim(const struct repo *repo, const char *instance, const struct slot_claim *claim, unsigned number, bool *certain,
          struct err *err)
{
    bool create = (store_features(repo->store) & STORE_CREATE_ONLY) != 0;
    struct layout_key key;

    *certain = false;
    layout_slot_claim(&key, instance, claim->kind, claim->slot_ms, number);
    if (put_object(repo, claim, key.text, create, false, err) < 0) {
        /* Somebody was faster, we ourselves, even (the answer was lost); or the store has just turned out not to know
         * create-only puts. */
        if (err->code != ERR_EXISTS && err->code != ERR_UNSUPPORTED)
            return -1;
        err_clear(err);
        return 0;
    }
    if (!create)
        return 0;
    if (prove(repo, claim, key.text, err) < 0)
        return -1;
    *certain = (store_features(repo->store) & STORE_CREATE_ONLY) != 0;
    return 0;
}

/* One round. *CERTAIN: the outcome is known; else there is to be another one. PUT: in an earlier round we put a claim,
 * which may be what is found. */
static int
one_round(const struct repo *repo, const char *instance, const struct slot_claim *claim, bool put,
          enum slot_outcome *outcome, int64_t *again_in_ms, bool *certain, struct err *err)
{
    struct standing st;
    int64_t lasts_ms;

    if (look(repo, instance, claim, &st, err) < 0)
        return -1;
    lasts_ms = !st.ours ? claim->stall_ms : put ? INT64_MAX : claim->stall_ms / 2;
    if (!st.done && (!st.claimed || st.spent || st.age_ms >= lasts_ms)) {
        *outcome = SLOT_OURS;
        return put_claim(repo, instance, claim, st.claimed ? st.number + 1 : 0, certain, err);
    }
    *certain = true;
    *outcome = st.done ? SLOT_DONE : st.ours ? SLOT_OURS : SLOT_TAKEN;
    *again_in_ms = claim->stall_ms - st.age_ms;
    return 0;
}

int
slot_take(const struct repo *repo, const char *instance, const struct slot_claim *claim, enum slot_outcome *outcome,
          int64_t *again_in_ms, struct err *err)
{
    bool certain = false;

    *again_in_ms = claim->stall_ms;
    for (int i = 0; i < ROUNDS && !certain; i++) {
        if (one_round(repo, instance, claim, i > 0, outcome, again_in_ms, &certain, err) < 0)
            return err_wrap(err, "claim a slot of %s", claim->kind);
    }
    if (!certain)
        *outcome = SLOT_TAKEN; /* somebody's, whom this store does not show us yet */
    if (*again_in_ms < SHORTEST_PAUSE)
        *again_in_ms = SHORTEST_PAUSE;
    return 0;
}

int
slot_done(const struct repo *repo, const char *instance, const struct slot_claim *claim, struct err *err)
{
    struct layout_key key;

    layout_slot_done(&key, instance, claim->kind, claim->slot_ms);
    return put_object(repo, claim, key.text, false, false, err);
}
