/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_file.h: a store in a folder of a local or network file system. An object is the regular file at its key.
 *
 * - A put writes a temporary file ".tmp-..." beside its place, syncs it, renames it and syncs the folder (and the
 *   parents of folders that this handle has not synced before): after 0 a power cut does not lose the object. A removal
 *   is not synced: what comes back after a power cut can be removed again.
 * - Folders are made by puts (0750 less the umask; files 0640) and removed when they become empty.
 * - Nothing below the root is followed that is a symbolic link. What is neither a regular file nor a folder is no
 *   object: not told by list, ERR_NOT_FOUND for get and stat, left alone by remove; a put replaces it. The same goes
 * for
 *   ".tmp-*", for "lost+found" in the root, and for the ".nfs..." names of files that an NFS client still has open.
 * - The root is opened by its path for every call: one that was unmounted is noticed, and one that was mounted again is
 *   found again.
 * - A folder that may not be read fails a listing with ERR_STORE_DENIED; it is never taken for empty.
 */
#ifndef STORAGE_STORE_FILE_H
#define STORAGE_STORE_FILE_H

#include <stdint.h>

#include "storage/store.h"

enum store_file_flag {
    STORE_FILE_MAKE_ROOT = 1u << 0, /* make the root folder, and what is missing above it */
    STORE_FILE_READ_ONLY = 1u << 1, /* never write anything; the handle is not STORE_WRITABLE */
};

/* Open the folder PATH (a relative one is resolved now). ERR_NOT_FOUND when it does not exist (unless it is to be
 * made), ERR_STORE_DENIED, ERR_STORAGE, ERR_NO_SPACE. A writable handle is tried for create-only puts here: where the
 * file system offers no way, the handle has no STORE_CREATE_ONLY. */
struct store *store_file_open(const char *path, unsigned flags, struct err *err) MUST_CHECK;

/* Remove the temporary files of the root itself and below FOLDER, a folder in it, that are older than MIN_AGE_MS by the
 * store's clock: leftovers of processes that were killed. Others may share the root: only names that this store makes
 * count. *REMOVED is how many (also after a failure). S must be a store_file (not a wrapper around one). */
int store_file_sweep(struct store *s, const char *folder, int64_t min_age_ms, uint64_t *removed,
                     struct err *err) MUST_CHECK;

#endif
