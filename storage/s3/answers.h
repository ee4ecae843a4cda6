/* SPDX-License-Identifier: Apache-2.0 */
/* answers.h: what S3 says in XML, as structs: a page of a listing, the outcome of a multi-delete, an error. Fed bytes;
 * does no I/O. */
#ifndef STORAGE_S3_ANSWERS_H
#define STORAGE_S3_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define S3_PAGE_MAX 1000 /* keys and folders of one page: more is ERR_CORRUPT */

struct s3_error {
    char code[64];     /* "NoSuchKey"; "" when there was no error */
    char message[256]; /* may be empty (RADOS Gateway) */
    char region[64];   /* of a wrong region */
    char key[64];      /* multi-delete: the first 63 bytes of the key that stays */
};

struct s3_entry {
    char *key;
    uint64_t size;
    int64_t mtime_ms;
    bool is_folder;
};

struct s3_page {
    struct s3_entry *entries; /* in byte order of the keys */
    size_t count;
    bool truncated;
    char *next; /* the continuation token; NULL: none */
};

struct s3_reader;

/* Read a list-objects-v2 answer. The page is filled when s3_reader_finish() succeeds. */
struct s3_reader *s3_reader_new_list(struct s3_page *page);
/* Read a multi-delete's answer, or that of anything that may hold an error only. */
struct s3_reader *s3_reader_new_plain(void);
void s3_reader_free(struct s3_reader *r);

int s3_reader_feed(struct s3_reader *r, const void *data, size_t len, struct err *err) MUST_CHECK;
int s3_reader_finish(struct s3_reader *r, struct err *err) MUST_CHECK;

/* The error that the answer is, or the first that it tells of. A 200 can have one. Valid as long as the reader. */
const struct s3_error *s3_reader_error(const struct s3_reader *r);

void s3_page_fini(struct s3_page *page);

/* The error in BODY (LEN bytes): code "" when that is no S3 error. */
void s3_error_parse(struct s3_error *e, const void *body, size_t len);

#endif
