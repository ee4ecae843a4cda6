/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crc64.h: the CRC-64 of Redis ("Jones": polynomial 0xad93d23594c935a9, reflected in and out, initial value and final
 * xor 0). The CRC of "123456789" is 0xe9c6d914c4b8d9ca. Carry-less multiplication where the CPU has it, slicing-by-8
 * tables elsewhere; chosen once, at the first call. Thread-safe.
 */
#ifndef SNAPSHOT_RDB_CRC64_H
#define SNAPSHOT_RDB_CRC64_H

#include <stddef.h>
#include <stdint.h>

/* CRC (0 for the first piece) taken on over LEN more bytes. */
uint64_t crc64(uint64_t crc, const void *data, size_t len);

#endif
