/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c: see verify.h. */
#include "snapshot/verify.h"

#include <jansson.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "base/units.h"
#include "snapshot/repo/layout.h"
#include "snapshot/repo/presence.h"

const char *
verify_level_name(enum verify_level level)
{
    return level == VERIFY_QUICK ? "quick" : "digests";
}

static int
verify_quick(const struct repo *repo, const struct manifest *m, struct err *err)
{
    struct index index;
    int rc;

    if (member_read_index(repo, m, &m->rdb_member, &index, err) < 0)
        return -1;
    rc = presence_check(repo, &index, m, NULL, err);
    index_fini(&index);
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

    if (level == VERIFY_QUICK)
        return verify_quick(repo, m, err) < 0 ? err_wrap(err, "backup %s", m->id.text) : 0;
    return member_read(&read, err);
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
