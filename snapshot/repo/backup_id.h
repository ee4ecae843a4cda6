/* SPDX-License-Identifier: Apache-2.0 */
/* backup_id.h: `YYYYMMDDTHHMMSSZ-xxxxxx`: the snapshot time in UTC and six random hex digits. Text order is time order.
 */
#ifndef SNAPSHOT_REPO_BACKUP_ID_H
#define SNAPSHOT_REPO_BACKUP_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define BACKUP_ID_LEN 23

struct backup_id {
    char text[BACKUP_ID_LEN + 1];
};

/* A new id for a snapshot taken at MS (since 1970, by the store's clock). */
void backup_id_make(int64_t ms, struct backup_id *id);

/* Is TEXT exactly of the form above, with a time that exists? Then ID and *MS (may be NULL) are set. */
bool backup_id_parse(const char *text, struct backup_id *id, int64_t *ms);

#endif
