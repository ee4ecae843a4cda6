/* SPDX-License-Identifier: Apache-2.0 */
/* bench_crc64.c: GB/s of both ways to the CRC, on one core, over 1 MiB that stays in the cache. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "snapshot/rdb/crc64_internal.h"

#define BLOCK   ((size_t)1 << 20)
#define TIME_MS 1000

/* Time of this program alone, not of others on the machine. */
static int64_t
cpu_ms(void)
{
    return (int64_t)clock() * 1000 / CLOCKS_PER_SEC;
}

static void
measure(const char *name, uint64_t (*way)(uint64_t, const void *, size_t), const uint8_t *data)
{
    int64_t start = cpu_ms();
    int64_t spent = 0;
    uint64_t crc = 0;
    double bytes = 0;

    do {
        for (int i = 0; i < 64; i++)
            crc = way(crc, data, BLOCK);
        bytes += 64.0 * (double)BLOCK;
        spent = cpu_ms() - start;
    } while (spent < TIME_MS);
    printf("%-7s %6.2f GB/s  (crc %016llx)\n", name, bytes / 1e6 / (double)spent, (unsigned long long)crc);
}

int
main(void)
{
    uint8_t *data = mem_new(BLOCK);

    for (size_t i = 0; i < BLOCK; i++)
        data[i] = (uint8_t)(i * 2654435761U >> 13);
    measure("tables", crc64_tables, data);
    if (crc64_has_clmul())
        measure("clmul", crc64_clmul, data);
    else
        puts("clmul   not on this machine");
    free(data);
    return 0;
}
