/* SPDX-License-Identifier: Apache-2.0 */
/* target_server.c: see target_server.h. */
#include "agent/target_server.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/server.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "snapshot/redis/client.h"
#include "snapshot/redis/redis_conf_load.h"
#include "snapshot/redis/server_program.h"
#include "snapshot/redis/session.h"

#define OWN_PREFIX       ".remora-"
#define REPLY_TIMEOUT_MS 10000
#define ASK_TIMEOUT_MS   20000

static void set_why(char why[TARGET_SERVER_WHY], const char *fmt, ...) PRINTF_LIKE(2, 3);
static void
set_why(char why[TARGET_SERVER_WHY], const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(why, TARGET_SERVER_WHY, fmt, args);
    va_end(args);
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

#define NAME(name)                                                                                                     \
    {                                                                                                                  \
        "--" #name, offsetof(struct config, name), offsetof(struct server_config, name),                               \
            offsetof(struct target_names, name)                                                                        \
    }

/* The three names: the option's, and where each struct has it. */
static const struct name {
    const char *option;
    size_t in_config, in_settings, in_names;
} names[] = {NAME(dbfilename), NAME(appenddirname), NAME(appendfilename)};

static char *
name_in(struct target_names *all, const struct name *n)
{
    return (char *)all + n->in_names;
}

/* WHERE it was said is for the sentence. */
static int
set_name(struct target_names *all, const struct name *n, const char *value, const char *where, struct err *err)
{
    const char *wrong = value[0] == '\0'                                      ? "is empty"
                        : strpbrk(value, "/\\") != NULL                       ? "is a path, not a bare name"
                        : strcmp(value, ".") == 0 || strcmp(value, "..") == 0 ? "is no name of a file"
                        : strncmp(value, OWN_PREFIX, strlen(OWN_PREFIX)) == 0 ? "is one of remora's own names"
                        : strlen(value) >= sizeof(((struct target_names *)0)->dbfilename) ? "is too long"
                                                                                          : NULL;

    if (wrong != NULL)
        return err_set(err, ERR_USAGE, "%s: the name \"%s\" %s (%s)", n->option, value, wrong, where);
    memcpy(name_in(all, n), value, strlen(value) + 1);
    return 0;
}

static int
check_names_differ(const struct target_names *all, struct err *err)
{
    const char *const list[] = {all->dbfilename, all->appenddirname, all->appendfilename};

    for (size_t i = 0; i < ARRAY_LEN(list); i++) {
        for (size_t k = i + 1; k < ARRAY_LEN(list); k++) {
            if (strcmp(list[i], list[k]) == 0)
                return err_set(err, ERR_USAGE, "%s and %s are the same, %s: a server needs a name for each",
                               names[i].option, names[k].option, list[i]);
        }
    }
    return 0;
}

/* An option wins over the configuration, which is worth a word where they differ. */
static void
warn_overruled(const char *option, const char *value, const char *conf_says)
{
    log_warn("an option wins over the server's configuration", LOG_S("option", option), LOG_S("value", value),
             LOG_S("configuration", conf_says));
}

static int
names_from_flags(const struct config *c, const struct redis_conf *conf, struct target_server *t, struct err *err)
{
    t->names = target_names_default;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *flag, *said = (const char *)&conf->config + names[i].in_settings;

        memcpy(&flag, (const char *)c + names[i].in_config, sizeof(flag));
        if (flag != NULL && *said != '\0' && strcmp(flag, said) != 0)
            warn_overruled(names[i].option, flag, said);
        if (flag != NULL ? set_name(&t->names, &names[i], flag, "the option", err) < 0
                         : *said != '\0' && set_name(&t->names, &names[i], said, c->redis_conf, err) < 0)
            return -1;
        if (flag != NULL || *said != '\0')
            t->named |= 1u << i;
    }
    return check_names_differ(&t->names, err);
}

static int
names_from_server(const struct server_facts *facts, struct target_server *t, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *said = (const char *)&facts->config + names[i].in_settings;

        if ((t->named & 1u << i) == 0 && *said != '\0' && set_name(&t->names, &names[i], said, facts->address, err) < 0)
            return -1;
    }
    return check_names_differ(&t->names, err);
}

/* ---- layout ------------------------------------------------------------------------------------------------------ */

static const char *const yes_no[] = {[APPENDONLY_AUTO] = "", [APPENDONLY_YES] = "yes", [APPENDONLY_NO] = "no"};

static int
appendonly_of(const char *text)
{
    return strcmp(text, "yes") == 0 ? APPENDONLY_YES : strcmp(text, "no") == 0 ? APPENDONLY_NO : APPENDONLY_AUTO;
}

static enum target_layout
layout_option(const struct config *c)
{
    static const enum target_layout layouts[] = {[LAYOUT_AUTO] = TARGET_LAYOUT_UNKNOWN,
                                                 [LAYOUT_RDB] = TARGET_LAYOUT_RDB,
                                                 [LAYOUT_AOF] = TARGET_LAYOUT_AOF,
                                                 [LAYOUT_SINGLE_AOF] = TARGET_LAYOUT_SINGLE_AOF};

    return layouts[c->layout];
}

/* What appendonly is by the options alone. */
static int
appendonly_option(const struct config *c)
{
    return c->layout == LAYOUT_AUTO ? c->appendonly : c->layout == LAYOUT_RDB ? APPENDONLY_NO : APPENDONLY_YES;
}

static int
appendonly_from_flags(const struct config *c, const struct redis_conf *conf, struct target_server *t, struct err *err)
{
    int said = appendonly_of(conf->config.appendonly), asked = appendonly_option(c);
    bool by_layout = c->layout != LAYOUT_AUTO;

    if (by_layout && c->appendonly != APPENDONLY_AUTO && c->appendonly != asked)
        return err_set(err, ERR_USAGE,
                       "--layout %s and --appendonly %s contradict each other: a server with appendonly %s does not "
                       "read that layout; give one of the two",
                       target_layout_name(layout_option(c)), yes_no[c->appendonly], yes_no[c->appendonly]);
    if (asked != APPENDONLY_AUTO) {
        const char *value = by_layout ? target_layout_name(layout_option(c)) : yes_no[asked];

        t->appendonly = asked;
        set_why(t->appendonly_why, "%s %s", by_layout ? "--layout" : "--appendonly", value);
        if (said != APPENDONLY_AUTO && said != asked) {
            set_why(t->layout_why, "appendonly %s in %s", yes_no[said], conf->appendonly_at);
            warn_overruled(by_layout ? "--layout" : "--appendonly", value, t->layout_why);
        }
    } else if (said != APPENDONLY_AUTO) {
        t->appendonly = said;
        set_why(t->appendonly_why, "appendonly %s in %s", yes_no[said], conf->appendonly_at);
    } else if (c->redis_conf != NULL) {
        t->appendonly = APPENDONLY_NO;
        t->is_appendonly_mute = true;
        set_why(t->appendonly_why, "%s does not set appendonly, so it is no", c->redis_conf);
    }
    return 0;
}

/* Whenever appendonly or the version became known. */
static int
settle_layout(const struct config *c, struct target_server *t, struct err *err)
{
    bool is_known = t->version.kinds != 0, has_folder = is_known && server_version_has_aof_folder(&t->version);
    char name[SERVER_VERSION_TEXT];

    (void)server_version_describe(&t->version, name);
    t->layout_why[0] = '\0';
    if (c->layout == LAYOUT_AOF && is_known && !has_folder)
        return err_set(err, ERR_USAGE,
                       "--layout aof is for Redis 7.0 or later and Valkey, and the server is %s (%s): give --layout "
                       "single-aof, or the server's true version with --server-version",
                       name, t->version_why);
    if (c->layout != LAYOUT_AUTO || t->appendonly == APPENDONLY_NO) {
        t->layout = c->layout != LAYOUT_AUTO ? layout_option(c) : TARGET_LAYOUT_RDB;
        set_why(t->layout_why, "%s", t->appendonly_why);
    } else if (t->appendonly == APPENDONLY_YES) {
        t->layout = is_known && !has_folder ? TARGET_LAYOUT_SINGLE_AOF : TARGET_LAYOUT_AOF;
        set_why(t->layout_why, "%.560s%s%s%s", t->appendonly_why, is_known ? ", " : "; ", name,
                is_known ? "" : ", taken for Redis 7.0 or later or Valkey");
    }
    return 0;
}

/* ---- options and files ------------------------------------------------------------------------------------------- */

static int
version_from_flags(const struct config *c, struct target_server *t, struct err *err)
{
    if (c->server_version != NULL) {
        set_why(t->version_why, "--server-version");
        return server_version_parse(c->server_version, &t->version, err) < 0 ? err_wrap(err, "--server-version") : 0;
    }
    if (c->server_binary == NULL)
        return 0;
    set_why(t->version_why, "%s --version", c->server_binary);
    return server_program_version(c->server_binary, SERVER_PROGRAM_TIMEOUT_MS, &t->version, err) < 0
               ? err_wrap(err, "--server-binary")
               : 0;
}

static uint64_t
number_or_none(const char *text)
{
    struct err ignored = ERR_INIT;
    uint64_t n = 0;

    return units_parse_u64(text, &n, &ignored) == 0 ? n : 0;
}

/* Arguments of the server may add to what its file says: so a silent file leaves the number open. */
static void
limits_from_conf(const struct redis_conf *conf, struct target_server *t)
{
    t->databases = number_or_none(conf->config.databases);
    if (strcmp(conf->config.cluster_enabled, "yes") == 0)
        t->databases = *conf->cluster_databases != '\0' ? number_or_none(conf->cluster_databases) : 1;
    t->is_version_check_relaxed = strcmp(conf->rdb_version_check, "relaxed") == 0;
    (void)snprintf(t->modules, sizeof(t->modules), "%s", conf->modules);
    if (*conf->preload_file != '\0')
        log_warn("the server's configuration has preload-file: Redis 8.10 and later then loads that at every start and "
                 "nothing that is restored; take it out",
                 LOG_S("preload_file", conf->preload_file));
}

int
target_server_from_flags(const struct config *config, struct target_server *t, struct err *err)
{
    struct redis_conf *conf = mem_new(sizeof(*conf));
    int rc = -1;

    memset(t, 0, sizeof(*t));
    if (config->redis_conf != NULL && redis_conf_load(config->redis_conf, conf, err) < 0) {
        (void)err_wrap(err, "--redis-conf");
        goto out;
    }
    if (appendonly_from_flags(config, conf, t, err) < 0 || names_from_flags(config, conf, t, err) < 0 ||
        version_from_flags(config, t, err) < 0)
        goto out;
    limits_from_conf(conf, t);
    rc = settle_layout(config, t, err);
out:
    free(conf);
    return rc;
}

/* ---- the running server ------------------------------------------------------------------------------------------ */

/* Nothing came of it; the address is in WHY. That matters where the layout hangs on it. */
static void
note_silence(struct target_server *t, const char *why)
{
    bool is_needed = t->layout == TARGET_LAYOUT_UNKNOWN || t->is_appendonly_mute;

    set_why(t->silent_why, "%s", why);
    log_event(is_needed ? LOG_WARN : LOG_INFO, "the running server does not tell all about itself",
              LOG_FIELDS(LOG_S("why", why)));
}

/* Everything the server tells; 1 when it told nothing. */
static int
learn(const struct endpoint *e, struct target_server *t, struct server_facts *facts, struct err *err)
{
    const struct client_options options = {.reply_timeout_ms = REPLY_TIMEOUT_MS,
                                           .deadline_ms = clock_mono_ms() + ASK_TIMEOUT_MS};
    struct err why = ERR_INIT;
    struct client *client = client_connect(e, &options, &why);
    int rc = client != NULL ? session_learn_facts(e, client, facts, NULL, &why) : -1;

    client_free(client);
    if (rc == 0)
        return 0;
    if (why.code == ERR_SERVER || why.code == ERR_SERVER_DENIED) {
        note_silence(t, why.msg);
        return 1;
    }
    *err = why;
    return -1;
}

static void
version_from_server(const struct server_facts *facts, struct target_server *t)
{
    struct server_version v;

    server_version_from_facts(facts, &v);
    /* A bare number that was given may stand for two servers. */
    if (v.kinds != 0 && (t->version.kinds & v.kinds) != 0 && t->version.major == v.major && t->version.minor == v.minor)
        t->version.kinds = v.kinds;
    if (t->version.kinds != 0 || v.kinds == 0)
        return;
    t->version = v;
    set_why(t->version_why, "the running server at %s", facts->address);
}

static void
appendonly_from_server(const struct server_facts *facts, struct target_server *t)
{
    int said = appendonly_of(facts->config.appendonly);

    if (said == APPENDONLY_AUTO || (t->appendonly != APPENDONLY_AUTO && !t->is_appendonly_mute))
        return;
    if (t->is_appendonly_mute && said != t->appendonly)
        log_warn("the running server has appendonly yes, and its configuration does not say so: perhaps its arguments "
                 "do; taken for yes",
                 LOG_S("server", facts->address), LOG_S("configuration", t->appendonly_why));
    t->appendonly = said;
    t->is_appendonly_mute = false;
    set_why(t->appendonly_why, "appendonly %s, says the running server at %s", yes_no[said], facts->address);
}

static void
limits_from_server(const struct server_facts *facts, struct target_server *t)
{
    struct server_version v;
    bool is_cluster = strcmp(facts->config.cluster_enabled, "yes") == 0;

    server_version_from_facts(facts, &v);
    /* A node of a cluster has one database; from Valkey 9.0 on another setting says how many. */
    if (t->databases == 0 && (!is_cluster || v.kinds == SERVER_REDIS))
        t->databases = is_cluster ? 1 : number_or_none(facts->config.databases);
    /* INFO lists modules from Redis 5.0 on, all of them unless there is no room for more. Those of the configuration
     * will be there too. */
    if (v.kinds != 0 && v.major >= 5 && strlen(facts->modules) < sizeof(facts->modules) / 2) {
        size_t at = strlen(t->modules);

        (void)snprintf(t->modules + at, sizeof(t->modules) - at, "%s%s", at > 0 && *facts->modules != '\0' ? "," : "",
                       facts->modules);
        t->are_modules_complete = true;
    }
}

int
target_server_ask(const struct config *config, struct target_server *t, struct err *err)
{
    struct server_facts *facts;
    struct endpoint e;
    int rc;

    if (config->redis_url == NULL)
        return 0;
    if (server_endpoint(config, &e, err) < 0)
        return -1;
    facts = mem_new(sizeof(*facts));
    rc = learn(&e, t, facts, err);
    if (rc == 0) {
        if (!facts->config_known) {
            char *why = mem_printf("%s does not allow CONFIG GET", facts->address);

            note_silence(t, why);
            free(why);
        }
        version_from_server(facts, t);
        appendonly_from_server(facts, t);
        limits_from_server(facts, t);
        rc = names_from_server(facts, t, err);
        if (rc == 0)
            rc = settle_layout(config, t, err);
    }
    free(facts);
    endpoint_fini(&e);
    return rc < 0 ? -1 : 0;
}

/* ---- judgement --------------------------------------------------------------------------------------------------- */

int
target_server_need_layout(const struct target_server *t, const char *source_appendonly, struct err *err)
{
    if (t->layout != TARGET_LAYOUT_UNKNOWN)
        return 0;
    return err_set(err, ERR_USAGE,
                   "what will the server read? With appendonly yes it ignores a dump, with appendonly no it ignores "
                   "append-only files, and starts empty: give --appendonly yes or --appendonly no as the server will "
                   "have it, or its configuration with --redis-conf (the backed up server had %s%s%s%s)",
                   appendonly_of(source_appendonly) != APPENDONLY_AUTO ? "appendonly " : "an unknown setting",
                   appendonly_of(source_appendonly) != APPENDONLY_AUTO ? source_appendonly : "",
                   *t->silent_why != '\0' ? "; the running one could not be asked: " : "", t->silent_why);
}

int
target_server_check_dump(const struct target_server *t, const struct rdb_info *dump, struct err *err)
{
    const struct server_reader reader = {.version = t->version,
                                         .is_version_check_relaxed = t->is_version_check_relaxed,
                                         .databases = t->databases,
                                         .modules = t->modules,
                                         .are_modules_complete = t->are_modules_complete};
    struct server_doubts doubts;
    int rc = server_fit_check(dump, &reader, &doubts, err);

    for (size_t i = 0; rc == 0 && i < doubts.count; i++)
        log_warn("it is not known whether the server can read all of the dump", LOG_S("why", doubts.items[i]));
    return rc;
}
