/* SPDX-License-Identifier: Apache-2.0 */
/* tar_build.c: see tar_build.h. Offsets are those of ustar in POSIX.1-1988. */
#include "tests/support/tar_build.h"

#include "tests/support/test_common.h"

#include <stdio.h>
#include <string.h>

static void
append(struct buf *b, const void *data, size_t len)
{
    struct err err = ERR_INIT;

    assert_ok(buf_append(b, data, len, &err), &err);
}

void
tar_set_field(char *header, size_t at, const char *text)
{
    for (size_t i = 0; text != NULL && text[i] != '\0'; i++)
        header[at + i] = text[i];
}

void
tar_fix_checksum(char *header)
{
    unsigned sum = 0;

    memset(header + 148, ' ', 8);
    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += (unsigned char)header[i];
    (void)snprintf(header + 148, 8, "%06o", sum);
}

/* The same for a field of SIZE bytes. */
static void
set_field(char *header, size_t at, size_t size, const char *text)
{
    assert_true(text == NULL || strlen(text) <= size);
    tar_set_field(header, at, text);
}

void
tar_add_header(struct buf *b, const struct tar_header *h)
{
    char header[TAR_BLOCK] = {0};

    set_field(header, 0, 100, h->name);
    set_field(header, 100, 8, "0000644");
    set_field(header, 108, 8, "0000000");
    set_field(header, 116, 8, "0000000");
    set_field(header, 124, 12, h->size != NULL ? h->size : "0");
    set_field(header, 136, 12, "14000000000");
    header[156] = h->type != '\0' ? h->type : '0';
    set_field(header, 157, 100, h->link);
    tar_set_field(header, 257, "ustar");
    tar_set_field(header, 263, "00");
    set_field(header, 345, 155, h->prefix);
    tar_fix_checksum(header);
    append(b, header, sizeof(header));
}

void
tar_add_content(struct buf *b, const void *data, size_t len)
{
    static const char zeros[TAR_BLOCK];

    append(b, data, len);
    append(b, zeros, (TAR_BLOCK - len % TAR_BLOCK) % TAR_BLOCK);
}

void
tar_add_file(struct buf *b, const char *name, const char *text)
{
    char size[32];

    (void)snprintf(size, sizeof(size), "%011zo", strlen(text));
    tar_add_header(b, &(struct tar_header){.name = name, .size = size});
    tar_add_content(b, text, strlen(text));
}

void
tar_add_end(struct buf *b)
{
    static const char zeros[2 * TAR_BLOCK];

    append(b, zeros, sizeof(zeros));
}
