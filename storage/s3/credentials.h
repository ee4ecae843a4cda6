/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credentials.h: who we are to the store: one chain for every command. In this order, the first that knows wins:
 *
 *   1. the access key file that was named: the key's id, its secret and, where there is one, its session token, each on
 *      a line of its own
 *   2. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *   3. the shared files of AWS, profile AWS_PROFILE or "default" (profile.h)
 *
 * Web identity, container credentials and instance metadata are further rows of the table in credentials.c; what they
 * give runs out, so whoever signs takes the keys anew for every request.
 */
#ifndef STORAGE_S3_CREDENTIALS_H
#define STORAGE_S3_CREDENTIALS_H

#include "base/err.h"
#include "storage/s3/sigv4.h"

struct credentials {
    struct sigv4_keys keys;
    const char *source; /* for the log: "access key file", ... */
    /* What the profile says besides; NULL: nothing. */
    char *region;
    char *endpoint;
};

/* ACCESS_KEY_FILE: NULL for none. ERR_USAGE for a file that cannot be used, a profile that does not exist, half a key;
 * ERR_STORE_DENIED when nothing in the chain knows a key. credentials_fini() in any case. */
int credentials_load(const char *access_key_file, struct credentials *c, struct err *err) MUST_CHECK;

/* Where the store is and what its region is called: what was GIVEN (may be NULL), else the environment's
 * (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL; AWS_REGION, AWS_DEFAULT_REGION), else the profile's, else NULL for AWS's own
 * endpoint, and us-east-1. */
const char *credentials_endpoint(const struct credentials *c, const char *given);
const char *credentials_region(const struct credentials *c, const char *given);

/* Wipe and free; fine on a zeroed struct. */
void credentials_fini(struct credentials *c);

#endif
