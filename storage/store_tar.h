/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_tar.h: a store in an uncompressed tar file, read only: an object is the file of its key. What `remora export`
 * writes is a whole repository with one backup, and this reads it where it lies, without unpacking.
 *
 * The names and places of all entries are read once, when it is opened; a get reads from its place. Its clock is the
 * wall clock's, the time of an object its entry's.
 */
#ifndef STORAGE_STORE_TAR_H
#define STORAGE_STORE_TAR_H

#include "storage/store.h"

/* Open the file PATH; it must be seekable. ERR_NOT_FOUND, ERR_STORE_DENIED, ERR_USAGE (a pipe), ERR_CORRUPT (no tar,
 * cut off, or holding what base/tar_read.h refuses). The handle is not STORE_WRITABLE. */
struct store *store_tar_open(const char *path, struct err *err) MUST_CHECK;

#endif
