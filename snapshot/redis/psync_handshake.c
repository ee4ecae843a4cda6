/* SPDX-License-Identifier: Apache-2.0 */
/* psync_handshake.c: see psync_handshake.h. */
#include "snapshot/redis/psync_handshake.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

const char *
psync_refusal_passes(const char *line)
{
    static const struct {
        const char *code, *waiting_for;
    } codes[] = {
        {"LOADING", "the server to load its data"},
        {"NOMASTERLINK", "the replica to be connected with its master"},
        {"MASTERDOWN", "the replica to be connected with its master"},
        {"BUSY", "a script of the server to end"},
        {"TRYAGAIN", "the server to be ready"},
    };

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        size_t len = strlen(codes[i].code);

        if (strncmp(line, codes[i].code, len) == 0 && (line[len] == ' ' || line[len] == '\0'))
            return codes[i].waiting_for;
    }
    return NULL;
}

/* What an error reply to ARGV means: LATER, FAILED, or (DONE) nothing. */
static enum psync_handshake
judge(const struct client *c, const char *const *argv, const struct reply *r, const char **why, struct err *err)
{
    if (r->type != REPLY_ERROR)
        return PSYNC_HANDSHAKE_DONE;
    *why = psync_refusal_passes(r->text);
    if (*why != NULL)
        return PSYNC_HANDSHAKE_LATER;
    (void)client_refused(c, argv, r, err);
    return PSYNC_HANDSHAKE_FAILED;
}

enum psync_handshake
psync_ping(struct client *c, const char **why, struct err *err)
{
    const char *const *argv = CLIENT_ARGS("PING");
    struct reply *r = NULL;
    enum psync_handshake answer;

    if (client_call(c, argv, &r, err) < 0)
        return PSYNC_HANDSHAKE_FAILED;
    answer = reply_has_code(r, "NOPERM") ? PSYNC_HANDSHAKE_DONE : judge(c, argv, r, why, err);
    reply_free(r);
    return answer;
}

/* Is it the answer of a server that has REPLCONF but not this option, or dislikes its value? */
static bool
is_harmless(const struct reply *r)
{
    return r->type == REPLY_ERROR && strncmp(r->text, "ERR ", 4) == 0 &&
           strncasecmp(r->text, "ERR unknown command", strlen("ERR unknown command")) != 0;
}

/* One REPLCONF. *TAKEN (NULL: the option must be taken) says whether it was; if not, that is no failure. */
static enum psync_handshake
replconf(struct client *c, const char *const *argv, bool *taken, const char **why, struct err *err)
{
    struct reply *r = NULL;
    enum psync_handshake answer;

    if (client_call(c, argv, &r, err) < 0)
        return PSYNC_HANDSHAKE_FAILED;
    if (taken != NULL)
        *taken = r->type != REPLY_ERROR;
    answer = taken != NULL && is_harmless(r) ? PSYNC_HANDSHAKE_DONE : judge(c, argv, r, why, err);
    reply_free(r);
    return answer;
}

enum psync_handshake
psync_announce(struct client *c, bool *rdb_only, const char **why, struct err *err)
{
    enum psync_handshake answer;
    bool any;

    /* With an empty address INFO shows "ip=,port=0", which a Sentinel cannot resolve and so does not list as a replica
     * that it would then miss for ever. */
    answer = replconf(c, CLIENT_ARGS("REPLCONF", "ip-address", ""), &any, why, err);
    if (answer == PSYNC_HANDSHAKE_DONE)
        answer = replconf(c, CLIENT_ARGS("REPLCONF", "capa", "eof", "capa", "psync2"), NULL, why, err);
    /* Valkey 9 takes a silent replica for 7.2, and then fails on what 7.2 has no encoding for (TTLs of hash fields).
     * Redis knows no such option. */
    if (answer == PSYNC_HANDSHAKE_DONE)
        answer = replconf(c, CLIENT_ARGS("REPLCONF", "version", PSYNC_SPEAKS_VERSION), &any, why, err);
    /* Unknown before 6.2. */
    if (answer == PSYNC_HANDSHAKE_DONE)
        answer = replconf(c, CLIENT_ARGS("REPLCONF", "rdb-only", "1"), rdb_only, why, err);
    return answer;
}

int
psync_refused(const struct client *c, const char *line, struct err *err)
{
    char text[CLIENT_WORDS_MAX];
    struct reply r = {.type = REPLY_ERROR, .text = text};

    r.len = strlen(line) < sizeof(text) - 1 ? strlen(line) : sizeof(text) - 1;
    memcpy(text, line, r.len);
    text[r.len] = '\0';
    return client_refused(c, CLIENT_ARGS("PSYNC"), &r, err);
}
