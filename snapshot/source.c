/* SPDX-License-Identifier: Apache-2.0 */
/* source.c: see source.h. */
#include "snapshot/source.h"

int
source_read(struct source *src, void *buf, size_t len, size_t *got, struct err *err)
{
    REQUIRE(len > 0);
    *got = 0;
    if (src->ops->read(src, buf, len, got, err) < 0)
        return -1;
    REQUIRE(*got <= len);
    return 0;
}

int
source_confirm(struct source *src, const struct rdb_info *found, struct err *err)
{
    return src->ops->confirm(src, found, err);
}

void
source_free(struct source *src)
{
    if (src != NULL)
        src->ops->free(src);
}
