/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3_place.h: prefixes in a bucket of the real S3 server that the tests were given: tests/servers/rgw.sh sets the
 * S3_TEST_* variables.
 */
#ifndef TESTS_SUPPORT_S3_PLACE_H
#define TESTS_SUPPORT_S3_PLACE_H

#include <stdbool.h>

#include "storage/store_s3.h"

#define S3_PLACE_BUCKET "remora-tests"

/* The variable NAME (S3_TEST_HTTP...), or NULL. */
const char *s3_place_env(const char *name);

/* Say that there is no server, in a line that tests/run-unit.sh counts as skipped; the exit status for main(). */
int s3_place_skip(const char *what);

/* The bucket exists afterwards, and the AWS variables hold the server's access key and no profile. Fails the test. */
void s3_place_prepare(void);

/* A prefix of its own, as a URL; free() it. */
char *s3_place_new(void);
/* Remove all that is in it. */
void s3_place_clear(const char *url);

#endif
