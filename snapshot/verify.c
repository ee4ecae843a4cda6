/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c: see verify.h. */
#include "snapshot/verify.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "base/units.h"
#include "snapshot/member_reader.h"
#include "snapshot/repo/layout.h"

const char *
verify_level_name(enum verify_level level)
{
    return level == VERIFY_QUICK ? "quick" : "digests";
}

/* ---- quick: one listing
 * ---------------------------------------------------------------------------------------------- */

struct check {
    const struct index *index;
    uint64_t next; /* segments come in the order of their numbers */
    uint64_t bad;  /* the first that is missing or has another size; UINT64_MAX: none */
};

static bool
check_object(const struct store_object *object, void *cookie)
{
    struct check *c = cookie;
    uint64_t number = 0;

    if (!layout_parse_segment(object->key, &number) || number >= c->index->count)
        return true; /* the index, or nothing of this backup's */
    if (number != c->next || object->size != c->index->segments[number].stored_size) {
        c->bad = c->next;
        return false;
    }
    c->next++;
    return true;
}

static int
check_listing(const struct repo *repo, const struct manifest *m, struct err *err)
{
    struct layout_key key;
    struct store_list what = {.prefix = key.text};
    struct index index;
    struct check check = {.index = &index, .bad = UINT64_MAX};
    int rc;

    if (member_read_index(repo, m, &index, err) < 0)
        return -1;
    layout_member(&key, m->instance, &m->id, m->rdb_member.name);
    rc = store_list(repo->store, &what, check_object, &check, err);
    if (rc == 0 && check.bad == UINT64_MAX && check.next < index.count)
        check.bad = check.next;
    if (rc == 0 && check.bad != UINT64_MAX)
        rc = err_set(err, ERR_CORRUPT, "segment %" PRIu64 " is missing or has another size", check.bad);
    index_fini(&index);
    return rc;
}

/* ---- the verb
 * -------------------------------------------------------------------------------------------------------- */

int
verify_backup(const struct repo *repo, const struct manifest *m, enum verify_level level,
              const struct progress_sink *progress, struct err *err)
{
    struct member_read read = {.repo = repo, .m = m, .progress = progress, .phase = PROGRESS_VERIFYING};

    if (level == VERIFY_QUICK)
        return check_listing(repo, m, err) < 0 ? err_wrap(err, "backup %s", m->id.text) : 0;
    return member_read_rdb(&read, err);
}

int
verify_record(const struct repo *repo, const struct manifest *m, enum verify_level level, const char *tool_version,
              struct err *err)
{
    char when[UNITS_TEXT_MAX], *line, *text;
    struct layout_key key;
    struct store_put put = {.key = key.text};
    json_t *fact;
    int rc;

    (void)units_format_time_ms(repo_now_ms(repo), when);
    fact = json_pack("{ss ss ss ss}", "id", m->id.text, "time", when, "level", verify_level_name(level), "tool",
                     tool_version);
    REQUIRE(fact != NULL);
    line = json_write_line(fact);
    text = mem_printf("%s\n", line);
    layout_fact(&key, m->instance, LAYOUT_VERIFIED, &m->id);
    put.data = text;
    put.len = strlen(text);
    rc = store_put(repo->store, &put, err);
    free(line);
    free(text);
    json_decref(fact);
    return rc;
}
