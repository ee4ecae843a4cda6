/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout.h: the names of everything in a repository: the one place that knows where an object lies (docs/FORMAT.md has
 * the picture). Pure functions; the longest key they can build fits STORE_KEY_MAX.
 */
#ifndef SNAPSHOT_REPO_LAYOUT_H
#define SNAPSHOT_REPO_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "snapshot/repo/backup_id.h"

#define LAYOUT_INSTANCE_MAX  128
#define LAYOUT_MEMBER_RDB    "rdb"
#define LAYOUT_MEMBER_CONFIG "config"
#define LAYOUT_SLOT_KIND_MAX 16
#define LAYOUT_MARKER        "remora.json"
#define LAYOUT_INSTANCES     "instances/"

struct layout_key {
    char text[512];
};

/* Facts about a backup: each an object of its own beside the manifest, which never changes. */
enum layout_fact { LAYOUT_VERIFIED, LAYOUT_ACCEPTED, LAYOUT_HOLD, LAYOUT_EXPIRED };

/* Is NAME a legal instance name ([A-Za-z0-9][A-Za-z0-9._-]{0,127})? ERR_USAGE when not. */
int layout_check_instance(const char *name, struct err *err) MUST_CHECK;

void layout_instance_marker(struct layout_key *key, const char *instance);
void layout_manifest(struct layout_key *key, const char *instance, const struct backup_id *id);
/* "instances/NAME/backups/": what a listing of backups starts with. */
void layout_manifests(struct layout_key *key, const char *instance);
/* "instances/NAME/data/ID/MEMBER/": all segments and the index. */
void layout_member(struct layout_key *key, const char *instance, const struct backup_id *id, const char *member);
void layout_segment(struct layout_key *key, const char *instance, const struct backup_id *id, const char *member,
                    uint64_t number);
void layout_index(struct layout_key *key, const char *instance, const struct backup_id *id, const char *member);
void layout_fact(struct layout_key *key, const char *instance, enum layout_fact fact, const struct backup_id *id);
/* "instances/NAME/verified/" and its like. */
void layout_facts(struct layout_key *key, const char *instance, enum layout_fact fact);
/* "instances/NAME/data/ID/": all members. */
void layout_data(struct layout_key *key, const char *instance, const struct backup_id *id);
/* "instances/NAME/FOLDER/", for a listing: FOLDER is "backups", "data", "leases", "log" or "probe". */
void layout_folder(struct layout_key *key, const char *instance, const char *folder);
/* "instances/NAME/probe/WORD": see probe.h; no reader ever looks there. */
void layout_probe(struct layout_key *key, const char *instance, const char *word);

/* The objects of a slot of the schedule (slot.h): claim NUMBER of it, the note that it was done, and what both start
 * with. KIND is 1 to LAYOUT_SLOT_KIND_MAX lower-case letters. "instances/NAME/leases/KIND/YYYYMMDDTHHMMSSZ[.N].json" */
void layout_slot_claim(struct layout_key *key, const char *instance, const char *kind, int64_t slot_ms,
                       unsigned number);
void layout_slot_done(struct layout_key *key, const char *instance, const char *kind, int64_t slot_ms);
void layout_slot(struct layout_key *key, const char *instance, const char *kind, int64_t slot_ms);

struct layout_slot {
    char kind[LAYOUT_SLOT_KIND_MAX + 1];
    int64_t slot_ms;
    unsigned number;
    bool done;
};
/* What a key of those says; false for any other. */
bool layout_parse_slot(const char *key, struct layout_slot *slot);

/* The id in a key of layout_manifest() or layout_fact(); false for any other key. */
bool layout_parse_id(const char *key, struct backup_id *id);
/* The id in a folder's name of layout_data(); false for any other. */
bool layout_parse_data(const char *key, struct backup_id *id);
/* The segment number in a key of layout_segment(); false for any other key. */
bool layout_parse_segment(const char *key, uint64_t *number);

#endif
