/* SPDX-License-Identifier: Apache-2.0 */
/* backup_id.c: see backup_id.h. */
#include "snapshot/repo/backup_id.h"

#include <string.h>

#include "base/digest.h"
#include "base/units.h"

#define SUFFIX_BYTES 3

void
backup_id_make(int64_t ms, struct backup_id *id)
{
    char when[UNITS_TEXT_MAX], suffix[2 * SUFFIX_BYTES + 1];
    uint8_t random[SUFFIX_BYTES];

    digest_random(random, sizeof(random));
    units_hex(random, sizeof(random), suffix);
    REQUIRE(snprintf(id->text, sizeof(id->text), "%s-%s", units_format_stamp(ms, when), suffix) == BACKUP_ID_LEN);
}

bool
backup_id_parse(const char *text, struct backup_id *id, int64_t *ms)
{
    const char *suffix = text + UNITS_STAMP_LEN + 1;
    int64_t t = 0;

    if (strlen(text) != BACKUP_ID_LEN || !units_parse_stamp(text, &t) || text[UNITS_STAMP_LEN] != '-' ||
        strspn(suffix, "0123456789abcdef") != (size_t)2 * SUFFIX_BYTES)
        return false;
    memcpy(id->text, text, BACKUP_ID_LEN + 1);
    if (ms != NULL)
        *ms = t;
    return true;
}
