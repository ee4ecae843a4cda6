/* SPDX-License-Identifier: Apache-2.0 */
/* target_case.h: folders with given entries, what is in them, and children under another uid or cut off in the middle:
 * for the tests of target.h. */
#ifndef TESTS_SUPPORT_TARGET_CASE_H
#define TESTS_SUPPORT_TARGET_CASE_H

#include <stdbool.h>
#include <sys/types.h>

#include "snapshot/target/target.h"

#define CASE_ID   "20261122T103000Z-1a2b3c"
#define CASE_UID  999
#define CASE_DUMP "REDIS0011, or so"

/* A new folder of this user as *STATE, and its end. */
int target_case_setup(void **state);
int target_case_teardown(void **state);

/* Make what SPEC says in DIR, entries separated by blanks: "name" a file with "x" in it, "name=text" one with that
 * text, "name=" an empty one, "name/" a folder, "name@to" a link, "name|" a FIFO; "a/b" lies in the folder a, which
 * must be there. */
void target_case_make(const char *dir, const char *spec);

/* All below DIR, itself included: type, mode, owner, size, mtime, ctime and name of each, sorted. The caller frees. */
char *target_case_tree(const char *dir);

/* The names in DIR (not below), sorted, each followed by a blank. The caller frees. */
char *target_case_names(const char *dir);

/* The file's content is exactly TEXT. */
bool target_case_holds(const char *dir, const char *name, const char *text);

/* target_open() of DIR with this name for the dump. */
int target_case_open(const char *dir, const char *dbfilename, struct target **out, struct err *err) MUST_CHECK;

/* target_case_open() of DIR for "dump.rdb" and target_judge(). */
enum target_state target_case_judge(const char *dir, char reason[512]);

/* The same with target_lock(); target_free() what comes back. */
struct target *target_case_lock(const char *dir, enum target_state *state);

/* The names in DIR are exactly WANT, see target_case_names(). */
void target_case_assert_names(const char *dir, const char *want);

/* Stage TEXT in T, which is locked: write and sync it. */
void target_case_stage(struct target *t, const char *text);

/* What brings in CASE_ID under default names. */
struct target_plan target_case_plan(enum target_layout layout, uint64_t size);
void target_case_stage_plan(struct target *t, const struct target_plan *plan, const char *text);

/* Run FN(COOKIE) in a child with UID, GID and no other group but GROUP ((gid_t)-1: none); it must return its exit
 * status. Asserts that the child was not killed. */
int target_case_as(uid_t uid, gid_t gid, gid_t group, int (*fn)(void *cookie), void *cookie);

#endif
