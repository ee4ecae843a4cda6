/* SPDX-License-Identifier: Apache-2.0 */
/* repo_case.h: a repository in memory behind a faulty store, dumps of a chosen size, and backups of them: what the
 * tests of repo/ and of the verbs begin with. */
#ifndef TESTS_SUPPORT_REPO_CASE_H
#define TESTS_SUPPORT_REPO_CASE_H

#include <stdbool.h>

#include "snapshot/backup.h"
#include "snapshot/member_reader.h"
#include "snapshot/repo/repo.h"
#include "storage/store.h"
#include "tests/support/rdb_build.h"

#define CASE_INSTANCE "shop-cache"
#define CASE_SEGMENT  4096u /* bytes a segment in the backups below */

struct repo_case {
    struct store *mem;   /* inside `store` */
    struct store *store; /* a store_fault around it, with an empty plan and no counts */
    struct repo repo;
};

/* Two jobs and plenty of memory. */
extern const struct read_options case_reading;

/* A repository with the instance CASE_INSTANCE. */
void repo_case_open(struct repo_case *c);
void repo_case_close(struct repo_case *c);

/* A good dump of exactly BYTES bytes (at least 200), most of which do not compress; CTIME_S 0: without that field.
 * rdb_build_fini() frees it. */
void repo_case_dump(struct rdb_build *dump, size_t bytes, int64_t ctime_s);

/* Options for a backup with segments of CASE_SEGMENT bytes and JOBS workers. */
struct backup_options repo_case_options(const struct repo_case *c, unsigned jobs);

/* Back DUMP up; asserts that it works. manifest_free() what comes back. */
struct manifest *repo_case_backup(const struct repo_case *c, const struct rdb_build *dump);

/* How many objects there are whose key starts with PREFIX. */
size_t repo_case_count(struct store *s, const char *prefix);

/* An object as it is; the caller frees. */
char *repo_case_get(struct store *s, const char *key, size_t *len);
void repo_case_put(struct store *s, const char *key, const void *data, size_t len);
void repo_case_remove(struct store *s, const char *key);

/* A small good manifest for ID as the store would hold it; the caller frees. */
char *repo_case_manifest(const char *id, bool suspicious, size_t *len);

/* Put TEXT in place of WHAT (which occurs once) in the manifest DATA of *LEN bytes and make its digest good again; the
 * caller frees what comes back. */
char *repo_case_forge(const char *data, size_t *len, const char *what, const char *text);

#endif
