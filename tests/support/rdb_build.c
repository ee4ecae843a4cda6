/* SPDX-License-Identifier: Apache-2.0 */
/* rdb_build.c: see rdb_build.h. */
#include "tests/support/rdb_build.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
rdb_build_init(struct rdb_build *b, const char *header)
{
    *b = (struct rdb_build){0};
    rdb_build_raw(b, header, strlen(header));
}

void
rdb_build_fini(struct rdb_build *b)
{
    free(b->data);
    *b = (struct rdb_build){0};
}

void
rdb_build_raw(struct rdb_build *b, const void *data, size_t len)
{
    if (b->allocated - b->len < len) {
        b->allocated = 2 * (b->len + len);
        b->data = mem_grow(b->data, b->allocated, 1);
    }
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
}

void
rdb_build_byte(struct rdb_build *b, unsigned byte)
{
    uint8_t v = (uint8_t)byte;

    rdb_build_raw(b, &v, 1);
}

static void
big_endian(struct rdb_build *b, uint64_t n, int size)
{
    while (size-- > 0)
        rdb_build_byte(b, (unsigned)(n >> (8 * size)) & 0xff);
}

static void
long_len(struct rdb_build *b, uint64_t n, int size)
{
    rdb_build_byte(b, size == 4 ? 0x80 : 0x81);
    big_endian(b, n, size);
}

void
rdb_build_len(struct rdb_build *b, uint64_t n)
{
    if (n < 64)
        rdb_build_byte(b, (unsigned)n);
    else if (n < 16384)
        big_endian(b, 0x4000 | n, 2);
    else
        long_len(b, n, n <= UINT32_MAX ? 4 : 8);
}

void
rdb_build_str(struct rdb_build *b, const char *s)
{
    rdb_build_len(b, strlen(s));
    rdb_build_raw(b, s, strlen(s));
}

void
rdb_build_aux(struct rdb_build *b, const char *name, const char *value)
{
    rdb_build_byte(b, 250);
    rdb_build_str(b, name);
    rdb_build_str(b, value);
}

void
rdb_build_select(struct rdb_build *b, uint64_t db)
{
    rdb_build_byte(b, 254);
    rdb_build_len(b, db);
}

void
rdb_build_set(struct rdb_build *b, const char *key, const char *value)
{
    rdb_build_byte(b, 0);
    rdb_build_str(b, key);
    rdb_build_str(b, value);
}

/* Ten times "abc" and "Z": four literals, a long copy, a literal. */
static void
lzf_string(struct rdb_build *b)
{
    static const uint8_t packed[] = {3, 'a', 'b', 'c', 'a', 0xe0, 17, 2, 0, 'Z'};

    rdb_build_byte(b, 0xc3);
    rdb_build_len(b, sizeof(packed));
    rdb_build_len(b, 31);
    rdb_build_raw(b, packed, sizeof(packed));
}

static void
some_string(struct rdb_build *b, unsigned which)
{
    static const char text[100] = "a hundred bytes, most of them zero";

    switch (which % 8) {
    case 0:
        rdb_build_str(b, "plain");
        break;
    case 1:
        rdb_build_raw(b, "\xc0\xff", 2);
        break;
    case 2:
        rdb_build_raw(b, "\xc1\x01\xfe", 3);
        break;
    case 3:
        rdb_build_raw(b, "\xc2\x01\xfe\xfd\xfc", 5);
        break;
    case 4:
        lzf_string(b);
        break;
    case 5:
        rdb_build_len(b, sizeof(text));
        rdb_build_raw(b, text, sizeof(text));
        break;
    case 6:
        long_len(b, 3, 4);
        rdb_build_raw(b, "abc", 3);
        break;
    default:
        long_len(b, 2, 8);
        rdb_build_raw(b, "ab", 2);
    }
}

/* "testmod-1" in six bits a letter, and the version 3. */
static uint64_t
module_id(void)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint64_t id = 0;

    for (const char *p = "testmod-1"; *p != '\0'; p++)
        id = id << 6 | (uint64_t)(strchr(letters, *p) - letters);
    return id << 10 | 3;
}

void
rdb_build_script(struct rdb_build *b, const char *script)
{
    for (const char *p = script; *p != '\0';) {
        char *end = NULL;
        char word = *p++;
        unsigned long long n = strtoull(p, &end, 10);

        if (word == 'S') {
            some_string(b, b->strings++);
        } else if (word == 'M') {
            rdb_build_len(b, module_id());
        } else if (word == 'L') {
            rdb_build_len(b, n);
        } else if (word == 'B') {
            rdb_build_byte(b, (unsigned)n);
        } else if (word == 'R') {
            for (; n > 0; n--)
                rdb_build_byte(b, 0xee);
        }
        p = word == 'L' || word == 'B' || word == 'R' ? end : p;
    }
}

uint64_t
rdb_build_crc(const uint8_t *data, size_t len)
{
    uint64_t crc = 0;

    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? UINT64_C(0x95ac9329ac4bc9b5) : 0);
    }
    return crc;
}

static void
little_endian(uint8_t *p, uint64_t n)
{
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)(n >> (8 * i));
}

void
rdb_build_end_with(struct rdb_build *b, uint64_t crc)
{
    uint8_t field[8];

    little_endian(field, crc);
    rdb_build_byte(b, 255);
    rdb_build_raw(b, field, sizeof(field));
}

void
rdb_build_end(struct rdb_build *b)
{
    if (memcmp(b->data, "REDIS0004", 9) <= 0 && b->data[0] == 'R') {
        rdb_build_byte(b, 255);
        return;
    }
    rdb_build_end_with(b, 0);
    rdb_build_fix_crc(b);
}

void
rdb_build_fix_crc(struct rdb_build *b)
{
    little_endian(b->data + b->len - 8, rdb_build_crc(b->data, b->len - 8));
}
