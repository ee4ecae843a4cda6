/* SPDX-License-Identifier: Apache-2.0 */
/* source_file.h: a dump that lies there already, and of whose server nothing is known. */
#ifndef SNAPSHOT_REDIS_SOURCE_FILE_H
#define SNAPSHOT_REDIS_SOURCE_FILE_H

#include "snapshot/source.h"

/* Open the dump at PATH. Its snapshot_ms is 0 (the dump's own ctime decides), snapshot_fallback_ms the file's mtime.
 * source_confirm() fails with ERR_REFUSED when the file changed while it was read; a file that was replaced (renamed
 * over) is fine: the old one was read to its end. ERR_USAGE or ERR_CORRUPT as dump_open() says. */
int source_file_open(const char *path, struct source **out, struct err *err) MUST_CHECK;

#endif
