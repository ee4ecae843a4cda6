/* SPDX-License-Identifier: Apache-2.0 */
/* store_cases.h: what the files of the suite share. A case gets a struct fixture: a fresh place and handles on it. */
#ifndef TESTS_CONFORMANCE_STORE_CASES_H
#define TESTS_CONFORMANCE_STORE_CASES_H

#include "tests/support/test_common.h"

#include "tests/conformance/store_suite.h"

struct fixture {
    struct store_suite suite; /* with the defaults filled in */
    void *place;
    struct store *w, *r; /* the writer, and the reader (may be the same) */
};

/* Put through the writer; 0 or -1. */
int put_bytes(struct store *s, const char *key, const void *data, size_t len, unsigned flags,
              struct err *err) MUST_CHECK;
/* Put the string, or fail the case. */
void put_text(const struct fixture *f, const char *key, const char *text);
/* The whole object is this string, or the case fails. */
void assert_text(const struct fixture *f, const char *key, const char *text);

/* What a listing told. */
struct told {
    struct store_object *objects; /* their keys are copies */
    size_t count;
    size_t stop_at; /* end the listing after that many; 0: never */
};
store_list_fn told_add;
void told_free(struct told *t);

/* The cases, ended by an entry without a name. */
extern const struct CMUnitTest store_object_cases[];
extern const struct CMUnitTest store_list_cases[];
extern const struct CMUnitTest store_thread_cases[];

#endif
