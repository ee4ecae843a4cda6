/* SPDX-License-Identifier: Apache-2.0 */
/* uri.h: the one percent-encoding that goes into both the URL and the signature. No I/O. */
#ifndef STORAGE_S3_URI_H
#define STORAGE_S3_URI_H

#include <stddef.h>

#include "base/buf.h"

struct uri_pair {
    const char *name;
    const char *value;
};

/* Append TEXT with every byte but A-Z a-z 0-9 - _ . ~ (and the slash, when KEEP_SLASH) as %XX, in capitals: what
 * Signature v4 calls UriEncode. ERR_NO_SPACE at the buffer's ceiling. */
int uri_encode(struct buf *out, const char *text, bool keep_slash, struct err *err) MUST_CHECK;

/* Undo it in place; a plus is a space (AWS writes one for it where it encodes keys). -1 for a lone % or a NUL; the text
 * is then of no use. */
int uri_decode(char *text) MUST_CHECK;

/* Append "name=value&..." sorted by the encoded names, each with its equals sign: the canonical query. */
int uri_query(struct buf *out, const struct uri_pair *pairs, size_t count, struct err *err) MUST_CHECK;

#endif
