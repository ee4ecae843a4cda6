/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.c: the manifest as a struct; manifest_write.c and manifest_parse.c turn it into bytes and back. */
#include "snapshot/repo/manifest.h"

#include <jansson.h>
#include <string.h>

#include "base/mem.h"

struct manifest *
manifest_new(void)
{
    struct manifest *m = mem_new(sizeof(*m));

    rdb_info_init(&m->rdb);
    return m;
}

void
manifest_free(struct manifest *m)
{
    if (m == NULL)
        return;
    rdb_info_fini(&m->rdb);
    for (size_t i = 0; i < m->tag_count; i++) {
        free(m->tags[i].key);
        free(m->tags[i].value);
    }
    free(m);
}

/* A manifest is JSON, which is UTF-8. */
static bool
is_utf8(const char *text)
{
    json_t *value = json_string(text);

    json_decref(value);
    return value != NULL;
}

int
manifest_add_tag(struct manifest *m, const char *key, const char *value, struct err *err)
{
    if (key[0] == '\0')
        return err_set(err, ERR_USAGE, "a tag has no name: it is KEY=VALUE");
    if (strlen(key) > MANIFEST_TAG_KEY_MAX || strlen(value) > MANIFEST_TAG_VALUE_MAX)
        return err_set(err, ERR_USAGE, "the tag \"%.60s\" is too long: its name may have %d bytes, its value %d", key,
                       MANIFEST_TAG_KEY_MAX, MANIFEST_TAG_VALUE_MAX);
    if (!is_utf8(key) || !is_utf8(value))
        return err_set(err, ERR_USAGE, "tag number %zu is not UTF-8 text", m->tag_count + 1);
    if (m->tag_count == MANIFEST_TAGS_MAX)
        return err_set(err, ERR_USAGE, "more than %d tags", MANIFEST_TAGS_MAX);
    for (size_t i = 0; i < m->tag_count; i++) {
        if (strcmp(m->tags[i].key, key) == 0)
            return err_set(err, ERR_USAGE, "the tag \"%.60s\" is given twice", key);
    }
    m->tags[m->tag_count].key = mem_strdup(key);
    m->tags[m->tag_count].value = mem_strdup(value);
    m->tag_count++;
    return 0;
}

void
manifest_add_finding(struct manifest *m, const char *guard, const char *text)
{
    struct manifest_finding *finding;

    if (m->finding_count == MANIFEST_FINDINGS_MAX)
        return;
    finding = &m->findings[m->finding_count++];
    (void)snprintf(finding->guard, sizeof(finding->guard), "%s", guard);
    (void)snprintf(finding->text, sizeof(finding->text), "%s", text);
}

size_t
manifest_members(const struct manifest *m, const struct manifest_member **members)
{
    members[0] = &m->rdb_member;
    members[1] = &m->config_member;
    return m->config_member.segments > 0 ? 2 : 1;
}
