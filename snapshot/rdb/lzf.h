/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lzf.h: following an LZF stream without unpacking it. Two counters are enough to know whether a stream would unpack
 * within its bounds to exactly the size that was announced. Where room is given, as much of it as fits is unpacked too
 * (short auxiliary fields, the names of keys).
 */
#ifndef SNAPSHOT_RDB_LZF_H
#define SNAPSHOT_RDB_LZF_H

#include <stdint.h>

/* The longest instruction: one that copies from earlier output, with both of its extra bytes. */
#define LZF_INSTRUCTION_MAX 3

enum lzf_status {
    LZF_MORE, /* all was taken, but for an instruction that is cut off by the end of the bytes */
    LZF_DONE, /* the stream is whole and good */
    LZF_BAD,  /* it reaches before its output or past its announced ends; *AT is the instruction that does */
};

struct lzf {
    uint64_t in_left;  /* compressed bytes still to come */
    uint64_t out_left; /* bytes still to be produced */
    uint64_t out_done;
    uint64_t literals; /* of the instruction begun */
    uint8_t *out;      /* the first ROOM bytes of the output go here */
    uint64_t room;     /* 0: it is only checked */
};

/* A stream of IN bytes that unpacks to OUT_LEN, the first ROOM of them into OUT (NULL with ROOM 0). */
void lzf_start(struct lzf *z, uint64_t in, uint64_t out_len, uint8_t *out, uint64_t room);

/* The next bytes, from *AT to END. *AT moves behind what was taken: on LZF_MORE fewer than LZF_INSTRUCTION_MAX bytes
 * are left, and have to come again with what follows them; on LZF_DONE, all that does not belong to the stream. */
enum lzf_status lzf_run(struct lzf *z, const uint8_t **at, const uint8_t *end);

#endif
