/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_tar.c: any bytes at all as a tar. What has to hold: a refusal is ERR_CORRUPT or ERR_UNSUPPORTED, in one line;
 * names that are told are plain; read whole and in single bytes it is the same; and what is told of a size and a
 * content is what comes.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/mem.h"
#include "base/tar_read.h"

/* Content that one input may make us copy: pax headers can tell of more than there is, but it never comes. */
#define PIECE 4096

struct outcome {
    uint64_t files, bytes, sum;
    struct err err;
    int rc;
};

static void
check_name(const char *name)
{
    REQUIRE(*name != '\0' && *name != '/' && strlen(name) <= TAR_NAME_MAX);
    REQUIRE(strstr(name, "//") == NULL && strstr(name, "/../") == NULL && strncmp(name, "../", 3) != 0);
    REQUIRE(name[strlen(name) - 1] != '/' && strcmp(name, "..") != 0 && strcmp(name, ".") != 0);
    for (const char *p = name; *p != '\0'; p++)
        REQUIRE((unsigned char)*p >= 0x20 && *p != 0x7f);
}

static void
read_all(const uint8_t *data, size_t size, size_t piece, struct outcome *o)
{
    struct err err = ERR_INIT;
    struct tar_reader *r = tar_reader_from_memory(data, size, &err);
    uint8_t bytes[PIECE];
    struct tar_entry entry;
    bool end = false;

    REQUIRE(r != NULL);
    *o = (struct outcome){.err = ERR_INIT};
    while (o->rc == 0 && (o->rc = tar_reader_next(r, &entry, &end, &o->err)) == 0 && !end) {
        size_t got = piece;
        uint64_t total = 0;

        check_name(entry.name);
        o->files++;
        while (o->rc == 0 && got == piece) {
            o->rc = tar_reader_data(r, bytes, piece, &got, &o->err);
            total += got;
            for (size_t i = 0; i < got; i++)
                o->sum = o->sum * 31 + bytes[i];
        }
        o->bytes += total;
        REQUIRE(total <= entry.size && (o->rc < 0 || total == entry.size));
    }
    REQUIRE(o->rc == 0 || o->err.code == ERR_CORRUPT || o->err.code == ERR_UNSUPPORTED);
    REQUIRE(strpbrk(o->err.msg, "\n\r\033") == NULL);
    tar_reader_free(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole, sliced;

    read_all(data, size, PIECE, &whole);
    read_all(data, size, 1, &sliced);
    REQUIRE(whole.rc == sliced.rc && strcmp(whole.err.msg, sliced.err.msg) == 0);
    REQUIRE(whole.files == sliced.files && whole.bytes <= size);
    /* Where it fails in the middle of a content, less than a piece of it may not have been told. */
    REQUIRE(whole.rc < 0 || (whole.bytes == sliced.bytes && whole.sum == sliced.sum));
    return 0;
}
