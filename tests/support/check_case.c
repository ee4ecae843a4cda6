/* SPDX-License-Identifier: Apache-2.0 */
/* check_case.c: see check_case.h. */
#include "tests/support/check_case.h"

#include <string.h>

#include "tests/support/test_common.h"

static const struct check_row *
find(const struct check *c, const char *name)
{
    const struct check_row *found = NULL;

    for (size_t i = 0; i < c->count; i++) {
        if (strcmp(c->rows[i].name, name) != 0)
            continue;
        if (found != NULL)
            fail_msg("the row %s is there twice", name);
        found = &c->rows[i];
    }
    return found;
}

const struct check_row *
check_case_row(const struct check *c, const char *name)
{
    const struct check_row *row = find(c, name);

    if (row == NULL)
        fail_msg("there is no row %s", name);
    return row;
}

void
check_case_is(const struct check *c, const char *name, enum check_verdict verdict, const char *words)
{
    const struct check_row *row = check_case_row(c, name);

    if (row->verdict != verdict)
        fail_msg("%s: %s, not %s: %s", name, check_verdict_name(row->verdict), check_verdict_name(verdict),
                 row->finding);
    if (strstr(row->finding, words) == NULL)
        fail_msg("%s: \"%s\" does not say \"%s\"", name, row->finding, words);
    if ((row->remedy[0] == '\0') != (verdict == CHECK_OK))
        fail_msg("%s: %s with the remedy \"%s\"", name, check_verdict_name(verdict), row->remedy);
}

void
check_case_failed(const struct check *c, const char *name, enum err_code code, const char *words)
{
    check_case_is(c, name, CHECK_FAIL, words);
    if (check_case_row(c, name)->code != code)
        fail_msg("%s: %s, not %s", name, err_name(check_case_row(c, name)->code), err_name(code));
}

void
check_case_lacks(const struct check *c, const char *name)
{
    if (find(c, name) != NULL)
        fail_msg("there is a row %s: %s", name, find(c, name)->finding);
}
