/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c: see verify.h. */
#include "snapshot/verify.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "base/units.h"
#include "snapshot/config_member.h"
#include "snapshot/repo/layout.h"
#include "snapshot/repo/presence.h"

const char *
verify_level_name(enum verify_level level)
{
    static const char *const names[] = {[VERIFY_QUICK] = "quick", [VERIFY_DIGESTS] = "digests", [VERIFY_LOAD] = "load"};

    return names[level];
}

static int
verify_quick(const struct repo *repo, const struct manifest *m, struct err *err)
{
    const struct manifest_member *members[MANIFEST_MEMBERS_MAX];
    const size_t count = manifest_members(m, members);
    struct index index;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (member_read_index(repo, m, members[i], &index, err) < 0)
            return -1;
        rc = presence_check(repo, m, members[i], &index, NULL, err);
        index_fini(&index);
    }
    return rc;
}

int
verify_backup(const struct repo *repo, const struct manifest *m, enum verify_level level,
              const struct read_options *options, struct err *err)
{
    const struct member_read read = {
        .repo = repo,
        .m = m,
        .member = &m->rdb_member,
        .options = options,
        .phase = PROGRESS_VERIFYING,
    };

    REQUIRE(level != VERIFY_LOAD);
    if (level == VERIFY_QUICK)
        return verify_quick(repo, m, err) < 0 ? err_wrap(err, "backup %s", m->id.text) : 0;
    return member_read(&read, err) < 0 ? -1 : verify_config(repo, m, options, err);
}

int
verify_config(const struct repo *repo, const struct manifest *m, const struct read_options *options, struct err *err)
{
    struct buf tar;
    uint64_t files = 0;
    int rc;

    if (m->config_member.segments == 0)
        return 0;
    rc = config_member_read(repo, m, options, &tar, &files, err);
    buf_fini(&tar);
    return rc;
}

/* *LOAD is the member "load" of the fact at KEY, or NULL. A damaged fact is as good as none: it is about to be
 * replaced. One that could not be asked for is not. */
static int
last_load(const struct repo *repo, const char *key, json_t **load, struct err *err)
{
    struct err why = ERR_INIT;
    char *data = NULL;
    size_t len = 0;
    json_t *fact;

    *load = NULL;
    if (store_get_all(repo->store, key, REPO_SMALL_OBJECT, &data, &len, &why) < 0) {
        if (why.code == ERR_NOT_FOUND || why.code == ERR_CORRUPT)
            return 0;
        *err = why;
        return -1;
    }
    fact = json_read_object(data, len, &why);
    if (json_is_object(json_object_get(fact, "load")))
        *load = json_incref(json_object_get(fact, "load"));
    json_decref(fact);
    free(data);
    return 0;
}

int
verify_record(const struct repo *repo, const struct manifest *m, const struct verify_fact *found, struct err *err)
{
    char when[UNITS_TEXT_MAX], *line, *text;
    struct layout_key key;
    struct store_put put = {.key = key.text};
    json_t *fact, *load = NULL;
    int rc;

    REQUIRE((found->level == VERIFY_LOAD) == (found->server != NULL));
    (void)units_format_time_ms(repo_now_ms(repo), when);
    layout_fact(&key, m->instance, LAYOUT_VERIFIED, &m->id);
    if (found->server != NULL)
        load = json_pack("{ss ss}", "time", when, "server", found->server);
    else if (last_load(repo, key.text, &load, err) < 0)
        return -1;
    fact = json_pack("{ss ss ss ss}", "id", m->id.text, "time", when, "level", verify_level_name(found->level), "tool",
                     found->tool_version);
    REQUIRE(fact != NULL && (load == NULL || json_object_set_new(fact, "load", load) == 0));
    line = json_write_line(fact);
    text = mem_printf("%s\n", line);
    put.data = text;
    put.len = strlen(text);
    rc = store_put(repo->store, &put, err);
    free(line);
    free(text);
    json_decref(fact);
    return rc;
}
