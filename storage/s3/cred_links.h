/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cred_links.h: the links of the chain that is described in credentials.h; each says whether it was configured, and
 * gets keys.
 *
 * A link that is not configured is passed over. One that is and fails is an error that names it, never a silent step to
 * the next: ERR_STORE_DENIED for what was refused or is no key, ERR_STORAGE for who does not answer, ERR_USAGE and
 * ERR_UNSUPPORTED for settings. No message holds a secret. Each call reads environment and files anew.
 */
#ifndef STORAGE_S3_CRED_LINKS_H
#define STORAGE_S3_CRED_LINKS_H

#include "storage/s3/grant.h"
#include "storage/s3/http.h"
#include "storage/s3/profile.h"

/* What the links look at, beside the environment. */
struct cred_scene {
    const char *access_key_file; /* NULL: none */
    const char *region;          /* what was given for the store; NULL: nothing */
    const char *ca_file;         /* the store's; NULL: the system's */
    const char *profile_name;
    struct s3_profile profile;
};

/* 1: got; 0: it is not here after all, ERR says why; -1. */
typedef int cred_ask_fn(const struct cred_scene *scene, struct grant *g, struct err *err);
typedef bool cred_given_fn(const struct cred_scene *scene);

/* The value of a variable; NULL when it is unset or empty. */
const char *cred_env(const char *name);

cred_given_fn cred_file_given, cred_env_given, cred_profile_given, cred_web_given, cred_container_given,
    cred_imds_given;
cred_ask_fn cred_file_ask, cred_env_ask, cred_profile_ask, cred_web_ask, cred_container_ask, cred_imds_ask;

/* ---- what links share ---- */

/* One request to an issuer of keys: no redirect is followed, answers are small. */
struct cred_http {
    const char *peer; /* what messages call the other side */
    const char *method;
    const char *url;
    const struct http_header *headers;
    size_t header_count;
    const char *body;    /* NULL: none */
    const char *ca_file; /* NULL: AWS_CA_BUNDLE's, or the system's */
    bool is_near;        /* on this machine or its link: never by a proxy, and it answers soon or not at all */
};

/* As http_perform(). cred_answer_fini(ANSWER) in any case. */
int cred_http_ask(const struct cred_http *request, struct http_answer *answer, struct err *err) MUST_CHECK;
/* Wipes it, too. */
void cred_answer_fini(struct http_answer *answer);
/* The issuer's clock, as far as it said; else ours. */
int64_t cred_issuer_now_ms(const struct http_answer *answer);
/* Always -1: the answer was no success. DETAIL is what the answer said in words, "" for nothing; control characters are
 * shown as '?'. */
int cred_refused(const char *peer, const struct http_answer *answer, const char *detail, struct err *err);
/* The content of a token's file, without blanks around it; the caller wipes and frees. ERR_STORE_DENIED. */
int cred_read_token(const char *path, const char *what, char **token, struct err *err) MUST_CHECK;
void cred_wipe_free(char *secret);

/* A role to be taken on. NULL for what is not given. */
struct cred_role {
    const char *arn;
    const char *session_name;
    const char *external_id;
    const char *duration; /* in seconds */
};

/* STS: AssumeRoleWithWebIdentity with the token in this file; AssumeRole, signed by KEYS. 1 or -1. */
int cred_sts_web_identity(const struct cred_scene *scene, const struct cred_role *role, const char *token_file,
                          struct grant *g, struct err *err) MUST_CHECK;
int cred_sts_assume_role(const struct cred_scene *scene, const struct cred_role *role, const struct sigv4_keys *keys,
                         struct grant *g, struct err *err) MUST_CHECK;
/* Where STS is: AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL, the profile's endpoint_url, AWS's own of the region, or its
 * global one without a region and by AWS_STS_REGIONAL_ENDPOINTS=legacy. *REGION is what requests are signed for.
 * The caller frees. */
char *cred_sts_endpoint(const struct cred_scene *scene, const char **region, bool *is_aws);

/* The output of the program COMMAND of a profile's credential_process. 1 or -1. */
int cred_process_ask(const char *command, struct grant *g, struct err *err) MUST_CHECK;
/* COMMAND as words, by a shell's rules for quotes and backslashes and none of its others; a list that ends with NULL,
 * freed by cred_process_words_free(). NULL with ERR_USAGE. */
char **cred_process_words(const char *command, struct err *err) MUST_CHECK;
void cred_process_words_free(char **words);

/* May a token be sent to URL, the container's endpoint? Over https always, over http to this machine and to the
 * addresses of ECS and EKS. */
bool cred_container_url_allowed(const char *url);

#endif
