/* SPDX-License-Identifier: Apache-2.0 */
/* crc64_internal.h: the two ways behind crc64(), for its tests and its benchmark only. Both give the same result. */
#ifndef SNAPSHOT_RDB_CRC64_INTERNAL_H
#define SNAPSHOT_RDB_CRC64_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* By tables, eight bytes a step: on any machine. */
uint64_t crc64_tables(uint64_t crc, const void *data, size_t len);

/* Does this machine have carry-less multiplication (PCLMULQDQ)? */
bool crc64_has_clmul(void);

/* By carry-less multiplication, 64 bytes a step. Only where crc64_has_clmul(). */
uint64_t crc64_clmul(uint64_t crc, const void *data, size_t len);

#endif
