/* SPDX-License-Identifier: Apache-2.0 */
/* table.h: rows of text in aligned columns, two spaces apart. Widths are counted in bytes: what we put in tables is
 * ASCII. */
#ifndef AGENT_TABLE_H
#define AGENT_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct table_column {
    const char *title;
    bool right; /* numbers stand at the right */
};

struct table;

/* COLUMNS must outlive the table. Never NULL. */
struct table *table_new(const struct table_column *columns, size_t count);
void table_free(struct table *t); /* NULL is fine */

/* Append one cell, row by row from the left; TEXT is copied, its control characters as '?'. */
void table_cell(struct table *t, const char *text);

/* Append the titles and every row to OUT; no spaces at the ends of lines. The last row must be full. */
int table_write(const struct table *t, struct buf *out, struct err *err) MUST_CHECK;

#endif
