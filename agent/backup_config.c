/* SPDX-License-Identifier: Apache-2.0 */
/* backup_config.c: see backup_config.h. */
#include "agent/backup_config.h"

#include "base/log.h"

int
backup_config_read(const struct config *config, struct config_bundle **out, struct err *err)
{
    const struct config_list *paths = &config->with_config;
    struct config_bundle *b;

    *out = NULL;
    if (paths->count == 0)
        return 0;
    b = config_bundle_new(config->config_secrets == SECRETS_REDACT);
    for (size_t i = 0; i < paths->count; i++) {
        if (config_bundle_add_file(b, paths->items[i], err) < 0) {
            config_bundle_free(b);
            return err_wrap(err, "--with-config");
        }
    }
    *out = b;
    return 0;
}

static void
warn_refused(const struct endpoint *e, const char *command, const struct server_text *t)
{
    if (t->text == NULL)
        log_warn("the server does not tell all of its configuration; the backup is made without that",
                 LOG_S("server", endpoint_describe(e)), LOG_S("command", command), LOG_S("why", t->why));
}

static int
ask_server(struct config_bundle *b, const struct endpoint *e, bool needed, struct err *err)
{
    struct server_settings settings;
    struct err why = ERR_INIT;

    if (server_settings_ask(e, &settings, &why) == 0) {
        warn_refused(e, "CONFIG GET *", &settings.config);
        warn_refused(e, "ACL LIST", &settings.acl);
        config_bundle_add_server(b, &settings);
        server_settings_fini(&settings);
        return 0;
    }
    if (needed || why.code == ERR_INTERRUPTED || why.code == ERR_USAGE) {
        *err = why;
        return -1;
    }
    log_warn("the server cannot be asked for its configuration; the backup is made without that",
             LOG_S("server", endpoint_describe(e)), LOG_S("why", why.msg));
    config_bundle_add_no_server(b, why.msg);
    return 0;
}

int
backup_config_finish(struct config_bundle *b, const struct endpoint *e, bool needed, struct buf *tar, struct err *err)
{
    if (e != NULL && ask_server(b, e, needed, err) < 0)
        return -1;
    if (config_bundle_write(b, tar, err) < 0)
        return err_wrap(err, "--with-config");
    log_info("configuration is kept with the backup", LOG_U("files", config_bundle_files(b)),
             LOG_U("secrets_left_out", config_bundle_secrets(b)), LOG_U("bytes", tar->len));
    return 0;
}
