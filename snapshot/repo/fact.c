/* SPDX-License-Identifier: Apache-2.0 */
/* fact.c: see fact.h. */
#include "snapshot/repo/fact.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "base/units.h"

struct listing {
    struct fact_list *list;
    size_t allocated;
};

static bool
add(const struct store_object *object, void *cookie)
{
    struct listing *l = cookie;
    struct backup_id id;

    if (!layout_parse_id(object->key, &id)) /* other names are not ours and are left alone */
        return true;
    if (l->list->count == l->allocated) {
        l->allocated = l->allocated > 0 ? 2 * l->allocated : 64;
        l->list->facts = mem_grow(l->list->facts, l->allocated, sizeof(*l->list->facts));
    }
    l->list->facts[l->list->count++] = (struct fact){.id = id, .put_ms = object->mtime_ms, .size = object->size};
    return true;
}

int
fact_list_folder(const struct repo *repo, const struct layout_key *folder, struct fact_list *out, struct err *err)
{
    struct listing l = {.list = out};

    memset(out, 0, sizeof(*out));
    if (store_list(repo->store, &(struct store_list){.prefix = folder->text}, add, &l, err) == 0)
        return 0;
    fact_list_free(out);
    return -1;
}

int
fact_list(const struct repo *repo, const char *instance, enum layout_fact kind, struct fact_list *out, struct err *err)
{
    struct layout_key folder;

    layout_facts(&folder, instance, kind);
    return fact_list_folder(repo, &folder, out, err);
}

void
fact_list_free(struct fact_list *list)
{
    free(list->facts);
    memset(list, 0, sizeof(*list));
}

static int
compare_fact(const void *id, const void *fact)
{
    return strcmp(((const struct backup_id *)id)->text, ((const struct fact *)fact)->id.text);
}

const struct fact *
fact_list_get(const struct fact_list *list, const struct backup_id *id)
{
    return list->count == 0 ? NULL : bsearch(id, list->facts, list->count, sizeof(*list->facts), compare_fact);
}

int
fact_find(const struct repo *repo, const char *instance, enum layout_fact kind, const struct backup_id *id, bool *there,
          int64_t *put_ms, struct err *err)
{
    struct layout_key key;

    layout_fact(&key, instance, kind, id);
    return repo_find(repo, key.text, there, put_ms, err);
}

/* What may stand in a line of a terminal. */
static bool
is_plain(char c)
{
    return (unsigned char)c >= 0x20 && c != 0x7f;
}

static void
parse_words(const char *data, size_t len, struct fact_words *out)
{
    struct err unused = ERR_INIT;
    json_t *o = json_read_object(data, len, &unused);

    if (o == NULL)
        return;
    if (json_read_time(o, "time", &out->time_ms, &unused) < 0)
        out->time_ms = 0;
    (void)snprintf(out->reason, sizeof(out->reason), "%s", json_opt_str(o, "reason", ""));
    for (char *c = out->reason; *c != '\0'; c++)
        *c = is_plain(*c) ? *c : '?';
    json_decref(o);
}

int
fact_read(const struct repo *repo, const char *instance, enum layout_fact kind, const struct backup_id *id, bool *there,
          struct fact_words *out, struct err *err)
{
    struct layout_key key;
    char *data = NULL;
    size_t len = 0;

    memset(out, 0, sizeof(*out));
    layout_fact(&key, instance, kind, id);
    *there = store_get_all(repo->store, key.text, REPO_SMALL_OBJECT, &data, &len, err) == 0;
    if (*there) {
        parse_words(data, len, out);
        free(data);
        return 0;
    }
    if (err->code != ERR_NOT_FOUND && err->code != ERR_CORRUPT)
        return -1;
    *there = err->code == ERR_CORRUPT; /* larger than any fact */
    err_clear(err);
    return 0;
}

static int
check_reason(const char *reason, struct err *err)
{
    size_t len = strlen(reason);

    if (len > FACT_REASON_MAX)
        return err_set(err, ERR_USAGE, "the reason has %zu bytes, and may have %d", len, FACT_REASON_MAX);
    for (size_t i = 0; i < len; i++) {
        if (!is_plain(reason[i]))
            return err_set(err, ERR_USAGE, "the reason has a control character at byte %zu", i + 1);
    }
    return 0;
}

int
fact_put(const struct repo *repo, const char *instance, enum layout_fact kind, const struct backup_id *id,
         const char *reason, const char *tool_version, struct err *err)
{
    char when[UNITS_TEXT_MAX], *line, *text;
    struct layout_key key;
    struct store_put put = {.key = key.text};
    json_t *o;
    int rc;

    if (reason != NULL && check_reason(reason, err) < 0)
        return -1;
    (void)units_format_time_ms(repo_now_ms(repo), when);
    o = json_pack("{ss ss}", "id", id->text, "time", when);
    REQUIRE(o != NULL);
    if (reason != NULL && json_object_set_new(o, "reason", json_string(reason)) < 0) {
        json_decref(o);
        return err_set(err, ERR_USAGE, "the reason is not valid UTF-8");
    }
    REQUIRE(json_object_set_new(o, "tool", json_string(tool_version)) == 0);
    line = json_write_line(o);
    text = mem_printf("%s\n", line);
    layout_fact(&key, instance, kind, id);
    put.data = text;
    put.len = strlen(text);
    rc = store_put(repo->store, &put, err);
    free(line);
    free(text);
    json_decref(o);
    return rc;
}

int
fact_remove(const struct repo *repo, const char *instance, enum layout_fact kind, const struct backup_id *id,
            struct err *err)
{
    struct layout_key key;

    layout_fact(&key, instance, kind, id);
    return store_remove(repo->store, key.text, err);
}
