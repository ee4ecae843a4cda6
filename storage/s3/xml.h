/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xml.h: a small XML reader for the answers of S3 servers, fed bytes in any slices. It tells the end of every element,
 * with its path from the root and the text directly in it. Attributes, comments, processing instructions and name space
 * prefixes are passed over. Not for documents: no DTD (refused: nothing to expand), no other encoding than UTF-8, white
 * space kept.
 *
 * Limits: XML_DEPTH_MAX elements deep, XML_NAME_MAX bytes a name, XML_TEXT_MAX bytes of text in one element (after
 * expansion of entities): more is ERR_CORRUPT. Memory does not grow with the input.
 */
#ifndef STORAGE_S3_XML_H
#define STORAGE_S3_XML_H

#include <stddef.h>

#include "base/err.h"

#define XML_DEPTH_MAX 8
#define XML_NAME_MAX  63
#define XML_TEXT_MAX  8192

struct xml;

/* PATH as "ListBucketResult/Contents/Key". TEXT is NUL-terminated (a NUL in the input is ERR_CORRUPT) and valid during
 * the call. -1 with ERR ends the reading. */
typedef int xml_fn(const char *path, const char *text, void *cookie, struct err *err);

/* Never NULL. */
struct xml *xml_new(xml_fn *fn, void *cookie);
void xml_free(struct xml *x);

/* The next bytes. ERR_CORRUPT: this is no XML, or passes a limit; or what the callback said. */
int xml_feed(struct xml *x, const void *data, size_t len, struct err *err) MUST_CHECK;

/* No more bytes come: ERR_CORRUPT when the root element is missing or still open. */
int xml_finish(const struct xml *x, struct err *err) MUST_CHECK;

#endif
