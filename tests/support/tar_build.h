/* SPDX-License-Identifier: Apache-2.0 */
/* tar_build.h: tars made by hand, block by block, so that they can say what no honest program would write. */
#ifndef TESTS_SUPPORT_TAR_BUILD_H
#define TESTS_SUPPORT_TAR_BUILD_H

#include <stddef.h>

#include "base/buf.h"

#define TAR_BLOCK 512

/* One ustar header; what is NULL or '\0' has the value in brackets. */
struct tar_header {
    const char *name;
    const char *prefix; /* ("") */
    const char *size;   /* the 12 bytes of the field, as octal digits ("0") */
    const char *link;   /* ("") */
    char type;          /* ('0') */
};

/* Append the header, its checksum right. */
void tar_add_header(struct buf *b, const struct tar_header *h);
/* Write TEXT at the offset AT of a header that is there. */
void tar_set_field(char *header, size_t at, const char *text);
/* Make the checksum of a header that was changed right again. */
void tar_fix_checksum(char *header);
/* Append bytes of content, with zeros up to the next block. */
void tar_add_content(struct buf *b, const void *data, size_t len);
/* Append a plain file of text. */
void tar_add_file(struct buf *b, const char *name, const char *text);
/* Append the two blocks that end an archive. */
void tar_add_end(struct buf *b);

#endif
