/* SPDX-License-Identifier: Apache-2.0 */
/* ask_server.c: see ask_server.h. */
#include "agent/sidecar/ask_server.h"

#include <stdio.h>

#include "agent/server.h"
#include "base/clock.h"
#include "snapshot/redis/client.h"
#include "snapshot/redis/info.h"

#define LIMIT_MS 5000

/* What INFO says, which may be denied: the role is known by ROLE too. */
static int
learn_info(struct client *c, const struct endpoint *e, struct answer *out, struct err *err)
{
    struct server_status status;
    struct err why = ERR_INIT;
    struct reply *r = NULL;
    int rc = 0;

    if (client_command(c, CLIENT_ARGS("INFO"), &r, &why) < 0) {
        if (why.code == ERR_SERVER_DENIED)
            return 0;
        *err = why;
        return -1;
    }
    if (r->type == REPLY_STRING) {
        server_facts_from_info(r->text, &out->server);
        server_status_parse(r->text, &status);
        out->memory = status.memory.used;
        out->cow = status.cow_bytes;
        (void)info_keys(r->text, &out->keys);
        (void)info_u64(r->text, "latest_fork_usec", &out->fork_us);
        if (status.loading)
            rc = err_set(err, ERR_SERVER, "the server at %s is loading its data and has none to give yet",
                         endpoint_describe(e));
    }
    reply_free(r);
    return rc;
}

static int
learn(struct client *c, const struct endpoint *e, struct answer *out, struct err *err)
{
    struct err why = ERR_INIT;
    struct reply *role = NULL;

    if (learn_info(c, e, out, err) < 0)
        return -1;
    if (client_command(c, CLIENT_ARGS("ROLE"), &role, &why) == 0)
        (void)server_facts_from_role(role, &out->server);
    else if (why.code != ERR_SERVER_DENIED || out->server.kind[0] == '\0') {
        *err = why; /* denied as well: nothing is known of it */
        return -1;
    }
    reply_free(role);
    return 0;
}

int
ask_server(const struct config *config, struct answer *out, struct err *err)
{
    const struct client_options options = {
        .connect_timeout_ms = LIMIT_MS, .reply_timeout_ms = LIMIT_MS, .deadline_ms = clock_mono_ms() + LIMIT_MS};
    struct endpoint endpoint;
    struct client *client;
    int rc = -1;

    if (server_endpoint(config, &endpoint, err) < 0)
        return -1;
    (void)snprintf(out->server.address, sizeof(out->server.address), "%s", endpoint_describe(&endpoint));
    client = client_connect(&endpoint, &options, err);
    if (client != NULL)
        rc = learn(client, &endpoint, out, err);
    client_free(client);
    endpoint_fini(&endpoint);
    return rc;
}
