/* SPDX-License-Identifier: Apache-2.0 */
/* rdb_build.h: RDB dumps for tests, byte by byte. Knows nothing of the code under test: it has its own CRC. */
#ifndef TESTS_SUPPORT_RDB_BUILD_H
#define TESTS_SUPPORT_RDB_BUILD_H

#include <stddef.h>
#include <stdint.h>

struct rdb_build {
    uint8_t *data;
    size_t len;
    size_t allocated;
    unsigned strings; /* written by rdb_build_script(), for their variety */
};

/* HEADER is all nine bytes, such as "REDIS0011". Free with rdb_build_fini(). */
void rdb_build_init(struct rdb_build *b, const char *header);
void rdb_build_fini(struct rdb_build *b);

void rdb_build_raw(struct rdb_build *b, const void *data, size_t len);
void rdb_build_byte(struct rdb_build *b, unsigned byte);
/* The shortest form that holds N. */
void rdb_build_len(struct rdb_build *b, uint64_t n);
void rdb_build_str(struct rdb_build *b, const char *s);
void rdb_build_aux(struct rdb_build *b, const char *name, const char *value);
void rdb_build_select(struct rdb_build *b, uint64_t db);
/* A key of type string. */
void rdb_build_set(struct rdb_build *b, const char *key, const char *value);

/*
 * What SCRIPT says, in words: L5 a length, S a string (every one in another encoding: plain with each form of length,
 * int8, int16, int32, LZF), R16 sixteen bytes, B253 one byte of that value, M the id of a module type "testmod-1",
 * version 3.
 */
void rdb_build_script(struct rdb_build *b, const char *script);

/* The end mark and, from version 5 on, the CRC. */
void rdb_build_end(struct rdb_build *b);
/* The end mark and an arbitrary field where the CRC stands. */
void rdb_build_end_with(struct rdb_build *b, uint64_t crc);
/* Overwrite the last eight bytes with the CRC of what stands before them. */
void rdb_build_fix_crc(struct rdb_build *b);

/* By the definition, bit by bit. */
uint64_t rdb_build_crc(const uint8_t *data, size_t len);

#endif
