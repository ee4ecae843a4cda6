/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_suite.h: storage/store.h in executable form. Every backend and wrapper passes the same cases; its test program
 * only says how to come by an empty place and handles on it.
 */
#ifndef TESTS_CONFORMANCE_STORE_SUITE_H
#define TESTS_CONFORMANCE_STORE_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/store.h"

struct store_suite {
    const char *name;

    /* A new empty place to store in (a folder, a prefix in a bucket), for one case; removed with all that is in it
     * after the handles were freed. */
    void *(*place_new)(void);
    void (*place_free)(void *place);

    /* A handle that writes, and one that reads what the first wrote; the suite frees both. No reader: the writer reads
     * too. */
    struct store *(*writer)(void *place);
    struct store *(*reader)(void *place);

    /* How much is asked of it; 0 is the value in brackets. */
    size_t big_bytes;       /* of the largest object (8 MiB) */
    unsigned many_keys;     /* in one listing (1500) */
    unsigned rounds;        /* of the races between threads (100) */
    unsigned sparse;        /* one in so many of the listings that are compared with the model is made (1: all) */
    int64_t clock_slack_ms; /* between the times of the store's objects and its now (2000) */
    bool plain_keys; /* the backend refuses keys with a space, and listings of a prefix or from a key that is cut in
                        the middle of a UTF-8 character: ERR_UNSUPPORTED */
    bool whole_characters; /* the server fails at such listings; they are left out */
    bool no_create_only;   /* the backend has no such puts: then they must be refused */
};

/* Run all cases; the result is for main() to return. */
int store_suite_run(const struct store_suite *suite);

#endif
