/* SPDX-License-Identifier: Apache-2.0 */
/* store_file_dir.h: how the file store reaches the folders below its root and names what went wrong there. Private to
 * storage/store_file*.c. Thread-safe. */
#ifndef STORAGE_STORE_FILE_DIR_H
#define STORAGE_STORE_FILE_DIR_H

#include <stdbool.h>
#include <stddef.h>

#include "storage/store.h"

#define STORE_FILE_TEMP_PREFIX ".tmp-"
#define STORE_FILE_DIR_MODE    0750
#define STORE_FILE_MODE        0640

/* The store's code for ERRNUM: ERR_STORE_DENIED or ERR_STORAGE (err_sys() itself knows the full disk). */
enum err_code store_file_code(int errnum);

/* Give a failure that base/file.h reported the store's code. Always -1. */
int store_file_recode(struct err *err);

/* Open the root folder, to pass through: ERR_NOT_FOUND when it does not exist. */
int store_file_open_root(const char *root, struct err *err) MUST_CHECK;

/* Is ERRNUM, from a call on something below the root, how "there is no such object" looks? */
bool store_file_absent(int errnum);

/* Open the folder of the first LEN bytes of KEY (without the slash at the end; LEN 0: the root). ERR_NOT_FOUND when it
 * is missing or a part is no folder; err->sys is 0 when it is the root that is missing. */
int store_file_open_folder(const char *root, const char *key, size_t len, struct err *err) MUST_CHECK;

/* The same, making what is missing. With SYNC_ALL the whole way down is synced, else what was made. err->sys is ENOENT
 * when a folder was removed at the same moment: try again. */
int store_file_make_folder(const char *root, const char *key, size_t len, bool sync_all, struct err *err) MUST_CHECK;

/* The length of KEY's folder: what stands in front of its last slash, 0 without one. */
size_t store_file_folder_len(const char *key);

/* KEY behind its last slash. */
const char *store_file_base(const char *key);

/* Does KEY name something that the store hides (see store_file.h), so that it cannot be an object? */
bool store_file_reserved(const char *key);

enum store_file_kind { STORE_FILE_ODD, STORE_FILE_OBJECT, STORE_FILE_FOLDER };

/* Called for an entry of the folder DIRFD: 0 goes on, anything else ends it. */
typedef int store_file_entry_fn(int dirfd, const char *name, enum store_file_kind kind, void *cookie, struct err *err);

/* Call FN for every entry of the folder DIRFD, in no order, some perhaps twice when they are renamed meanwhile. Names
 * that the store hides are STORE_FILE_ODD. Returns what FN returned, or -1. */
int store_file_each_entry(int dirfd, bool in_root, store_file_entry_fn *fn, void *cookie, struct err *err) MUST_CHECK;

/* Open the folder NAME in the folder DIRFD, to pass through or to read its entries: ERR_NOT_FOUND as above. */
int store_file_open_child(int dirfd, const char *name, struct err *err) MUST_CHECK;

/* The listing, in store_file_list.c: see store.h. */
int store_file_list(const char *root, const struct store_list *what, store_list_fn *fn, void *cookie,
                    struct err *err) MUST_CHECK;

/* Remove temporary files of the root itself and below FOLDER, a name in it, last written before BEFORE_MS, and the
 * folders that become empty by it, in store_file_sweep.c; *REMOVED counts the files. */
int store_file_sweep_folder(const char *root, const char *folder, int64_t before_ms, uint64_t *removed,
                            struct err *err) MUST_CHECK;

#endif
