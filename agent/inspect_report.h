/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_report.h: what an inspection found, as stdout tells it. */
#ifndef AGENT_INSPECT_REPORT_H
#define AGENT_INSPECT_REPORT_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "snapshot/inspect/inspect.h"
#include "snapshot/rdb/rdb_info.h"
#include "snapshot/repo/manifest.h"

struct inspect_report {
    const struct manifest *backup; /* NULL: it was a file... */
    const char *path;              /* ...of that name, or "-" */
    const struct rdb_info *rdb;
    struct inspect *found; /* finished; its tables are sorted here */
    struct inspect_options options;
};

/* For people: sections, each with a table. */
int inspect_report_text(const struct inspect_report *r, struct buf *out, struct err *err) MUST_CHECK;

/* For programs: one object. */
json_t *inspect_report_json(const struct inspect_report *r) MUST_CHECK;

#endif
