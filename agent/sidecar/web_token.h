/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_token.h: the bearer token of the agent's HTTP side. The file is looked at each time the token is asked for, and
 * read again when it changed, also where it is a symbolic link that points elsewhere now, as in a Secret that
 * Kubernetes mounts. Only the token's SHA-256 is kept, and digests are compared, in constant time. One thread.
 */
#ifndef AGENT_SIDECAR_WEB_TOKEN_H
#define AGENT_SIDECAR_WEB_TOKEN_H

#include "base/err.h"

struct web_token;

enum web_token_verdict {
    WEB_TOKEN_RIGHT,
    WEB_TOKEN_WRONG,      /* or none was shown */
    WEB_TOKEN_NO_FILE,    /* the agent has none: nobody can have the right one */
    WEB_TOKEN_UNREADABLE, /* the file cannot be used at the moment, which is logged once */
};

/* PATH must outlive it; NULL: there is no token. ERR_USAGE when the file cannot be used. */
struct web_token *web_token_open(const char *path, struct err *err) MUST_CHECK;
void web_token_free(struct web_token *t); /* NULL is fine */

/* AUTHORIZATION is the header's value; NULL: there was none. */
enum web_token_verdict web_token_check(struct web_token *t, const char *authorization);

#endif
