/* SPDX-License-Identifier: Apache-2.0 */
/* check_case.h: questions about the rows of a preflight. A missing row, or one that is there twice, fails the test. */
#ifndef TESTS_SUPPORT_CHECK_CASE_H
#define TESTS_SUPPORT_CHECK_CASE_H

#include "snapshot/check/check.h"

/* The row NAME of C. */
const struct check_row *check_case_row(const struct check *c, const char *name);
/* It has VERDICT, and WORDS in its finding; a warning or failure has a remedy. */
void check_case_is(const struct check *c, const char *name, enum check_verdict verdict, const char *words);
/* It failed with CODE. */
void check_case_failed(const struct check *c, const char *name, enum err_code code, const char *words);
/* There is no such row. */
void check_case_lacks(const struct check *c, const char *name);

#endif
