/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credentials.h: who we are to the store: one chain for every command. In this order, the first link that is configured
 * wins, and where it fails, that is the failure (docs/adr/0011):
 *
 *   1. the access key file that was named: the key's id, its secret and, where there is one, its session token, each on
 *      a line of its own
 *   2. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *   3. the shared files of AWS, profile AWS_PROFILE or "default" (profile.h): a role by source_profile,
 *      credential_source or web_identity_token_file; a key; credential_process
 *   4. web identity (IRSA and the like): AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_SESSION_NAME
 *   5. the container's endpoint (EKS Pod Identity, ECS): AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI
 *   6. the instance metadata service, version 2, unless AWS_EC2_METADATA_DISABLED=true
 *
 * The links are those of cred_links.h. What they give runs out: cred_cache.h keeps and renews it. Whoever signs takes
 * the keys anew for every request. Thread-safe.
 */
#ifndef STORAGE_S3_CREDENTIALS_H
#define STORAGE_S3_CREDENTIALS_H

#include <stddef.h>

#include "base/err.h"
#include "storage/s3/sigv4.h"

struct credentials;

struct credentials_options {
    const char *access_key_file; /* NULL: none */
    const char *region;          /* that was given for the store; NULL: none */
    const char *ca_file;         /* of the store; NULL: the system's */
};

/* Asks nobody. ERR_USAGE for a file that cannot be used, a profile that does not exist, half a key; ERR_STORE_DENIED
 * when nothing in the chain is configured. NULL with ERR. */
struct credentials *credentials_new(const struct credentials_options *options, struct err *err) MUST_CHECK;
/* Wipes and frees; NULL is fine. */
void credentials_free(struct credentials *c);

/* The keys for one request; grant_keys_fini(KEYS) in any case. -1: cred_links.h says with which errors. */
int credentials_get(struct credentials *c, struct sigv4_keys *keys, struct err *err) MUST_CHECK;

/* The store says that USED is not, or no longer, good. 1: there are others now; 0: there are none but these; -1. */
int credentials_renew(struct credentials *c, const struct sigv4_keys *used, struct err *err) MUST_CHECK;

/* Which link answered, and for how long, for people: "web identity, for another 59m12s"; "" before the first answer. */
void credentials_describe(struct credentials *c, char *text, size_t size);

/* Where the store is and what its region is called: what was GIVEN (may be NULL), else the environment's
 * (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL; AWS_REGION, AWS_DEFAULT_REGION), else the profile's, else NULL for AWS's own
 * endpoint, and us-east-1. */
const char *credentials_endpoint(const struct credentials *c, const char *given);
const char *credentials_region(const struct credentials *c, const char *given);

#endif
