/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_s3xml.c: any bytes at all as the answer of an S3 server: as a listing and as a plain answer. What has to hold:
 * whole and byte by byte the verdict, its sentence and what was read are the same; keys of a good page are in order.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "storage/s3/answers.h"

struct outcome {
    struct s3_page page;
    struct s3_error error;
    struct err err;
    int rc;
};

static void
read_all(const uint8_t *data, size_t size, size_t slice, struct outcome *o)
{
    struct s3_reader *r = s3_reader_new_list(&o->page);

    o->err = (struct err)ERR_INIT;
    o->rc = 0;
    for (size_t at = 0; at < size && o->rc == 0;) {
        size_t n = size - at < slice ? size - at : slice;
        uint8_t *piece = mem_new(n); /* of its own size, so that a read past its end is seen */

        memcpy(piece, data + at, n);
        o->rc = s3_reader_feed(r, piece, n, &o->err);
        free(piece);
        at += n;
    }
    if (o->rc == 0)
        o->rc = s3_reader_finish(r, &o->err);
    REQUIRE(o->rc == 0 || o->err.code == ERR_CORRUPT);
    o->error = *s3_reader_error(r);
    s3_reader_free(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole, sliced;
    struct s3_error error;

    read_all(data, size, size > 0 ? size : 1, &whole);
    read_all(data, size, 1, &sliced);
    REQUIRE(whole.rc == sliced.rc && strcmp(whole.err.msg, sliced.err.msg) == 0);
    REQUIRE(strcmp(whole.error.code, sliced.error.code) == 0 && whole.page.count == sliced.page.count);
    for (size_t i = 0; i < whole.page.count; i++) {
        REQUIRE(strcmp(whole.page.entries[i].key, sliced.page.entries[i].key) == 0);
        REQUIRE(whole.rc < 0 || whole.error.code[0] != '\0' || i == 0 ||
                strcmp(whole.page.entries[i - 1].key, whole.page.entries[i].key) <= 0);
    }
    s3_page_fini(&whole.page);
    s3_page_fini(&sliced.page);
    s3_error_parse(&error, data, size);
    return 0;
}
