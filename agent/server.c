/* SPDX-License-Identifier: Apache-2.0 */
/* server.c: see server.h. */
#include "agent/server.h"

#include "agent/secret.h"
#include "snapshot/redis/live_peers.h"

#define DEFAULT_URL "redis://127.0.0.1:6379"

int
server_endpoint(const struct config *config, struct endpoint *endpoint, struct err *err)
{
    const struct endpoint_tls tls = {config->tls_ca, config->tls_cert, config->tls_key, config->tls_server_name};
    char *secret = NULL;

    if (endpoint_parse(config->redis_url != NULL ? config->redis_url : DEFAULT_URL, endpoint, err) < 0)
        return err_wrap(err, "--redis-url");
    if (endpoint_set_tls(endpoint, &tls, err) < 0) {
        endpoint_fini(endpoint);
        return err_wrap(err, "--tls-ca, --tls-cert, --tls-key, --tls-server-name");
    }
    if (endpoint->password != NULL)
        return 0;
    if (config->redis_password_file == NULL) {
        if (config->redis_auth != NULL)
            endpoint_set_password(endpoint, config->redis_auth);
        return 0;
    }
    if (secret_read_file(config->redis_password_file, &secret, err) < 0) {
        endpoint_fini(endpoint);
        return err_wrap(err, "--redis-password-file");
    }
    endpoint_set_password(endpoint, secret);
    secret_free(secret);
    return 0;
}

int
server_check_peers(const struct config *config, struct err *err)
{
    struct endpoint like = {0};
    const struct live_peers_options options = {.like = &like};
    int rc;

    if (config->live_peers == NULL)
        return 0;
    if (server_endpoint(config, &like, err) < 0)
        return -1;
    rc = live_peers_check(config->live_peers, &options, err);
    endpoint_fini(&like);
    return rc < 0 ? err_wrap(err, "--live-peers") : 0;
}
