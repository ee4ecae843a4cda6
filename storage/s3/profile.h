/* SPDX-License-Identifier: Apache-2.0 */
/* profile.h: one profile out of AWS's shared files, ~/.aws/credentials and ~/.aws/config (AWS_SHARED_CREDENTIALS_FILE
 * and AWS_CONFIG_FILE name others). What the first says wins. */
#ifndef STORAGE_S3_PROFILE_H
#define STORAGE_S3_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Strings are NULL where nothing is said. */
struct s3_profile {
    char *access_key_id;
    char *secret_access_key;
    char *session_token;
    char *region;
    char *endpoint_url;
    /* How else to get a key. */
    char *role_arn;
    char *source_profile;
    char *credential_source;
    char *web_identity_token_file;
    char *role_session_name;
    char *external_id;
    char *duration_seconds;
    char *mfa_serial;
    char *credential_process;
    char *sso;  /* sso_session, or sso_start_url */
    bool found; /* the profile has a section in one of the files */
};

/* Add what TEXT (the content of a file, LEN bytes) says of the profile NAME to P, where P says nothing yet. IS_CONFIG:
 * sections are called "[profile NAME]" there, but for "[default]". Indented lines belong to nested settings and are
 * passed over, and so is what is not known. Pure. */
void s3_profile_parse(struct s3_profile *p, const char *text, size_t len, const char *name, bool is_config);

/* The profile NAME of both files. Files that are not there say nothing; ERR_USAGE for one that cannot be read.
 * s3_profile_fini() in any case. */
int s3_profile_load(struct s3_profile *p, const char *name, struct err *err) MUST_CHECK;

/* Wipe and free; fine on a zeroed struct. */
void s3_profile_fini(struct s3_profile *p);

#endif
