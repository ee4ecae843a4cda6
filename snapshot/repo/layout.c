/* SPDX-License-Identifier: Apache-2.0 */
/* layout.c: see layout.h. */
#include "snapshot/repo/layout.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"

#define SEGMENT_SUFFIX ".zst"
#define SEGMENT_DIGITS 8
#define SLOT_FOLDER    "leases"
#define SLOT_SUFFIX    "json" /* behind a dot */
#define SLOT_DONE      "done."
#define SLOT_NUMBER    6 /* digits at most */

static const char *const fact_folders[] = {
    [LAYOUT_VERIFIED] = "verified",
    [LAYOUT_ACCEPTED] = "accepted",
    [LAYOUT_HOLD] = "holds",
    [LAYOUT_EXPIRED] = "expired",
};

static void build(struct layout_key *key, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void
build(struct layout_key *key, const char *fmt, ...)
{
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(key->text, sizeof(key->text), fmt, ap);
    va_end(ap);
    REQUIRE(len > 0 && len < (int)sizeof(key->text));
}

int
layout_check_instance(const char *name, struct err *err)
{
    size_t len = strlen(name);
    bool good = len >= 1 && len <= LAYOUT_INSTANCE_MAX && isalnum((unsigned char)name[0]);

    for (size_t i = 1; good && i < len; i++)
        good = isalnum((unsigned char)name[i]) || strchr("._-", name[i]) != NULL;
    if (!good)
        return err_set(
            err, ERR_USAGE,
            "\"%.140s\" is not an instance name: 1 to %d letters, digits, \".\", \"_\" and \"-\", the first a "
            "letter or digit",
            name, LAYOUT_INSTANCE_MAX);
    return 0;
}

void
layout_instance_marker(struct layout_key *key, const char *instance)
{
    build(key, LAYOUT_INSTANCES "%s/instance.json", instance);
}

void
layout_manifest(struct layout_key *key, const char *instance, const struct backup_id *id)
{
    build(key, LAYOUT_INSTANCES "%s/backups/%s.json", instance, id->text);
}

void
layout_manifests(struct layout_key *key, const char *instance)
{
    build(key, LAYOUT_INSTANCES "%s/backups/", instance);
}

void
layout_member(struct layout_key *key, const char *instance, const struct backup_id *id, const char *member)
{
    build(key, LAYOUT_INSTANCES "%s/data/%s/%s/", instance, id->text, member);
}

void
layout_segment(struct layout_key *key, const char *instance, const struct backup_id *id, const char *member,
               uint64_t number)
{
    build(key, LAYOUT_INSTANCES "%s/data/%s/%s/%0*" PRIu64 SEGMENT_SUFFIX, instance, id->text, member, SEGMENT_DIGITS,
          number);
}

void
layout_index(struct layout_key *key, const char *instance, const struct backup_id *id, const char *member)
{
    build(key, LAYOUT_INSTANCES "%s/data/%s/%s/index", instance, id->text, member);
}

void
layout_fact(struct layout_key *key, const char *instance, enum layout_fact fact, const struct backup_id *id)
{
    build(key, LAYOUT_INSTANCES "%s/%s/%s.json", instance, fact_folders[fact], id->text);
}

void
layout_facts(struct layout_key *key, const char *instance, enum layout_fact fact)
{
    build(key, LAYOUT_INSTANCES "%s/%s/", instance, fact_folders[fact]);
}

void
layout_folder(struct layout_key *key, const char *instance, const char *folder)
{
    build(key, LAYOUT_INSTANCES "%s/%s/", instance, folder);
}

void
layout_data(struct layout_key *key, const char *instance, const struct backup_id *id)
{
    build(key, LAYOUT_INSTANCES "%s/data/%s/", instance, id->text);
}

void
layout_probe(struct layout_key *key, const char *instance, const char *word)
{
    build(key, LAYOUT_INSTANCES "%s/probe/%s", instance, word);
}

void
layout_slot(struct layout_key *key, const char *instance, const char *kind, int64_t slot_ms)
{
    char stamp[UNITS_TEXT_MAX];

    build(key, LAYOUT_INSTANCES "%s/" SLOT_FOLDER "/%s/%s.", instance, kind, units_format_stamp(slot_ms, stamp));
}

void
layout_slot_claim(struct layout_key *key, const char *instance, const char *kind, int64_t slot_ms, unsigned number)
{
    struct layout_key start;

    layout_slot(&start, instance, kind, slot_ms);
    if (number > 0)
        build(key, "%s%u." SLOT_SUFFIX, start.text, number);
    else
        build(key, "%s" SLOT_SUFFIX, start.text);
}

void
layout_slot_done(struct layout_key *key, const char *instance, const char *kind, int64_t slot_ms)
{
    struct layout_key start;

    layout_slot(&start, instance, kind, slot_ms);
    build(key, "%s" SLOT_DONE SLOT_SUFFIX, start.text);
}

/* The part of KEY behind its slash number N, provided that KEY lies below instances/. NULL otherwise. */
static const char *
part_at_depth(const char *key, unsigned n)
{
    if (strncmp(key, LAYOUT_INSTANCES, strlen(LAYOUT_INSTANCES)) != 0)
        return NULL;
    for (; n > 0; n--) {
        key = strchr(key, '/');
        if (key == NULL)
            return NULL;
        key++;
    }
    return key;
}

/* The same for the last part of KEY: what lies deeper, such as a copy that somebody made of a folder, is not ours. */
static const char *
name_at_depth(const char *key, unsigned n)
{
    const char *name = part_at_depth(key, n);

    return name != NULL && strchr(name, '/') == NULL ? name : NULL;
}

bool
layout_parse_id(const char *key, struct backup_id *id)
{
    const char *name = name_at_depth(key, 3); /* instances/NAME/FOLDER/ID.json */
    char text[BACKUP_ID_LEN + 1];

    if (name == NULL || strlen(name) != BACKUP_ID_LEN + strlen(".json") || strcmp(name + BACKUP_ID_LEN, ".json") != 0)
        return false;
    memcpy(text, name, BACKUP_ID_LEN);
    text[BACKUP_ID_LEN] = '\0';
    return backup_id_parse(text, id, NULL);
}

bool
layout_parse_data(const char *key, struct backup_id *id)
{
    const char *path = part_at_depth(key, 2), *name; /* instances/NAME/data/ID/ */
    char text[BACKUP_ID_LEN + 1];

    if (path == NULL || strncmp(path, "data/", strlen("data/")) != 0)
        return false;
    name = path + strlen("data/");
    if (strlen(name) != BACKUP_ID_LEN + 1 || name[BACKUP_ID_LEN] != '/')
        return false;
    memcpy(text, name, BACKUP_ID_LEN);
    text[BACKUP_ID_LEN] = '\0';
    return backup_id_parse(text, id, NULL);
}

bool
layout_parse_segment(const char *key, uint64_t *number)
{
    const char *name = name_at_depth(key, 5); /* instances/NAME/data/ID/MEMBER/NUMBER.zst */
    char digits[SEGMENT_DIGITS + 1];
    struct err unused = ERR_INIT;

    if (name == NULL || strlen(name) != SEGMENT_DIGITS + strlen(SEGMENT_SUFFIX) ||
        strcmp(name + SEGMENT_DIGITS, SEGMENT_SUFFIX) != 0)
        return false;
    memcpy(digits, name, SEGMENT_DIGITS);
    digits[SEGMENT_DIGITS] = '\0';
    return units_parse_u64(digits, number, &unused) == 0;
}

/* What stands behind the time: "json", "done.json", "7.json". */
static bool
parse_slot_rest(const char *rest, struct layout_slot *slot)
{
    size_t digits = strspn(rest, "0123456789");

    slot->done = strcmp(rest, SLOT_DONE SLOT_SUFFIX) == 0;
    if (slot->done || strcmp(rest, SLOT_SUFFIX) == 0)
        return true;
    if (digits == 0 || digits > SLOT_NUMBER || rest[0] == '0' || strcmp(rest + digits, "." SLOT_SUFFIX) != 0)
        return false;
    for (size_t i = 0; i < digits; i++)
        slot->number = 10 * slot->number + (unsigned)(rest[i] - '0');
    return true;
}

bool
layout_parse_slot(const char *key, struct layout_slot *slot)
{
    const char *name = name_at_depth(key, 4); /* instances/NAME/leases/KIND/SLOT */
    const char *folder, *kind;
    size_t len;

    if (name == NULL)
        return false;
    memset(slot, 0, sizeof(*slot));
    folder = strchr(key + strlen(LAYOUT_INSTANCES), '/') + 1;
    kind = strchr(folder, '/') + 1;
    len = (size_t)(name - 1 - kind);
    if (strncmp(folder, SLOT_FOLDER "/", strlen(SLOT_FOLDER "/")) != 0 || len < 1 || len > LAYOUT_SLOT_KIND_MAX ||
        strspn(kind, "abcdefghijklmnopqrstuvwxyz") != len || !units_parse_stamp(name, &slot->slot_ms) ||
        name[UNITS_STAMP_LEN] != '.')
        return false;
    memcpy(slot->kind, kind, len);
    return parse_slot_rest(name + UNITS_STAMP_LEN + 1, slot);
}
