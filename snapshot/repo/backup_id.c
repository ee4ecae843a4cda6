/* SPDX-License-Identifier: Apache-2.0 */
/* backup_id.c: see backup_id.h. */
#include "snapshot/repo/backup_id.h"

#include <ctype.h>
#include <string.h>

#include "base/digest.h"
#include "base/units.h"

void
backup_id_make(int64_t ms, struct backup_id *id)
{
    char when[UNITS_TEXT_MAX], suffix[7];
    uint8_t random[3];
    size_t o = 0;

    /* 2026-11-22T10:30:00Z without its dashes and colons */
    (void)units_format_time(ms, when);
    for (const char *p = when; *p != '\0'; p++) {
        if (*p != '-' && *p != ':')
            when[o++] = *p;
    }
    when[o] = '\0';
    digest_random(random, sizeof(random));
    units_hex(random, sizeof(random), suffix);
    REQUIRE(snprintf(id->text, sizeof(id->text), "%s-%s", when, suffix) == BACKUP_ID_LEN);
}

bool
backup_id_parse(const char *text, struct backup_id *id, int64_t *ms)
{
    static const char shape[] = "ddddddddTddddddZ-xxxxxx";
    char when[UNITS_TEXT_MAX];
    struct err unused = ERR_INIT;
    int64_t t = 0;

    if (strlen(text) != BACKUP_ID_LEN)
        return false;
    for (size_t i = 0; i < BACKUP_ID_LEN; i++) {
        if (shape[i] == 'd'   ? !isdigit((unsigned char)text[i])
            : shape[i] == 'x' ? strchr("0123456789abcdef", text[i]) == NULL
                              : text[i] != shape[i])
            return false;
    }
    (void)snprintf(when, sizeof(when), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", text, text + 4, text + 6, text + 9, text + 11,
                   text + 13);
    if (units_parse_time(when, &t, &unused) < 0)
        return false;
    memcpy(id->text, text, BACKUP_ID_LEN + 1);
    if (ms != NULL)
        *ms = t;
    return true;
}
