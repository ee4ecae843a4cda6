/* SPDX-License-Identifier: Apache-2.0 */
/* tar_extract.h: the files of a tar, out into a folder, with libarchive's secure flags: no absolute names, no "..",
 * nothing through a symbolic link, nothing over a file that is there. */
#ifndef BASE_TAR_EXTRACT_H
#define BASE_TAR_EXTRACT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The tar of LEN bytes at DATA into the folder DIR (made, 0700, where missing; its parent must exist), which must be
 * empty and no symbolic link: ERR_REFUSED, and so is something that comes into the place of a file meanwhile. Written
 * by another run: ERR_LOCKED. After a failure what was written is removed, and nothing of anybody else's. Files are
 * 0600 and belong to us; folders below are made, 0700. *FILES is how many. What tar_read.h refuses is ERR_CORRUPT, and
 * nothing has been written then: all is looked at first. Changes the working folder while it runs: main thread only. */
int tar_extract(const void *data, size_t len, const char *dir, uint64_t *files, struct err *err) MUST_CHECK;

#endif
