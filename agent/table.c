/* SPDX-License-Identifier: Apache-2.0 */
/* table.c: see table.h. */
#include "agent/table.h"

#include <stdlib.h>
#include <string.h>

#include "agent/printable.h"
#include "base/mem.h"

struct table {
    const struct table_column *columns;
    size_t column_count;
    size_t *widths;
    char **cells;
    size_t cell_count;
    size_t allocated;
};

struct table *
table_new(const struct table_column *columns, size_t count)
{
    struct table *t = mem_new(sizeof(*t));

    t->columns = columns;
    t->column_count = count;
    t->widths = mem_array(count, sizeof(*t->widths));
    for (size_t i = 0; i < count; i++)
        t->widths[i] = strlen(columns[i].title);
    return t;
}

void
table_free(struct table *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->cell_count; i++)
        free(t->cells[i]);
    free(t->cells);
    free(t->widths);
    free(t);
}

void
table_cell(struct table *t, const char *text)
{
    size_t column = t->cell_count % t->column_count, len = strlen(text);

    if (t->cell_count == t->allocated) {
        t->allocated = t->allocated > 0 ? 2 * t->allocated : 64;
        t->cells = mem_grow(t->cells, t->allocated, sizeof(*t->cells));
    }
    t->cells[t->cell_count] = mem_strdup(text);
    printable_make(t->cells[t->cell_count++]);
    if (len > t->widths[column])
        t->widths[column] = len;
}

/* One line; CELL gives the text of column I. */
static int
write_line(const struct table *t, char *const *cells, struct buf *out, struct err *err)
{
    size_t pending = 0; /* spaces owed before the next text */

    for (size_t i = 0; i < t->column_count; i++) {
        const char *text = cells != NULL ? cells[i] : t->columns[i].title;
        size_t fill = t->widths[i] - strlen(text);

        if (t->columns[i].right)
            pending += fill;
        if (*text != '\0') {
            if (buf_printf(out, err, "%*s%s", (int)pending, "", text) < 0)
                return -1;
            pending = 0;
        }
        pending += 2 + (t->columns[i].right ? 0 : fill);
    }
    return buf_append(out, "\n", 1, err);
}

int
table_write(const struct table *t, struct buf *out, struct err *err)
{
    REQUIRE(t->cell_count % t->column_count == 0);
    if (write_line(t, NULL, out, err) < 0)
        return -1;
    for (size_t i = 0; i < t->cell_count; i += t->column_count)
        if (write_line(t, t->cells + i, out, err) < 0)
            return -1;
    return 0;
}
