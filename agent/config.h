/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h: everything that was asked of this run, in one struct: filled in once by options_parse(), then read only.
 *
 * Strings belong to the struct and may hold secrets (a URL's password): config_fini() wipes them. Nothing here has been
 * checked against the outside world; what an option means to a command is the command's business.
 */
#ifndef AGENT_CONFIG_H
#define AGENT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/commands.h"

#define CONFIG_ARGS_MAX 4

/* Values of options with a choice, in the order in which the table names them. */
enum config_method { METHOD_AUTO, METHOD_BGSAVE, METHOD_PSYNC, METHOD_FILE };
enum config_yes_no { CONFIG_YES, CONFIG_NO };
enum config_record { RECORD_AUTO, RECORD_NO };
enum config_progress { SHOW_AUTO, SHOW_ALWAYS, SHOW_NEVER };
enum config_signature { SIGNATURE_V4, SIGNATURE_V2 };
enum config_addressing { ADDRESSING_AUTO, ADDRESSING_PATH, ADDRESSING_VIRTUAL };
enum config_sse { SSE_NONE, SSE_AES256, SSE_KMS, SSE_CUSTOMER };
enum config_object_lock { OBJECT_LOCK_NONE, OBJECT_LOCK_GOVERNANCE, OBJECT_LOCK_COMPLIANCE };
enum config_layout { LAYOUT_AUTO, LAYOUT_RDB, LAYOUT_AOF, LAYOUT_SINGLE_AOF };
enum config_appendonly { APPENDONLY_AUTO, APPENDONLY_YES, APPENDONLY_NO };
enum config_policy { POLICY_FAIL, POLICY_START_EMPTY };
enum config_run_on { RUN_ON_ANY, RUN_ON_REPLICA, RUN_ON_MASTER };
enum config_secrets { SECRETS_REDACT, SECRETS_KEEP };

struct option;

/* Values of an option that may be repeated, in the order given. */
struct config_list {
    char **items;
    size_t count;
};

/* An option of the command line, as it was written. */
struct config_given {
    const struct option *option;
    const char *value; /* "yes" for a flag alone */
};

struct config {
    enum command_id command;
    enum command_id topic; /* help: the command it is about; COMMAND_NONE: all */
    const char *args[CONFIG_ARGS_MAX];
    size_t arg_count;
    struct config_given *given; /* in order: what the agent hands on to its jobs */
    size_t given_count;

    /* Global. NULL: not given and no default. */
    const char *repo;
    const char *instance;
    const char *redis_url;
    const char *redis_password_file;
    const char *tls_ca;
    const char *tls_cert;
    const char *tls_key;
    const char *tls_server_name;
    const char *redis_auth; /* REDISCLI_AUTH of the environment */
    const char *s3_endpoint;
    const char *s3_region;
    int s3_addressing; /* enum config_addressing */
    int s3_signature;  /* enum config_signature */
    const char *s3_access_key_file;
    const char *s3_ca;
    const char *s3_storage_class;
    int s3_sse; /* enum config_sse */
    const char *s3_sse_kms_key_id;
    const char *s3_sse_customer_key_file;
    int s3_object_lock; /* enum config_object_lock */
    int64_t s3_object_lock_for_ms;
    int64_t retry_for_ms;
    int64_t s3_stall_ms; /* no option; 0: the backend's own (see storage/s3/http.h) */
    bool json;
    int log_format; /* enum log_format */
    int log_level;  /* enum log_level */
    int progress;   /* enum config_progress */
    uint64_t jobs;  /* 0: decide by the CPUs */
    uint64_t memory;
    bool help;

    /* backup */
    int method; /* enum config_method */
    const char *data_dir;
    const char *rdb_file;
    const char *spool_dir;
    uint64_t spool_size;
    uint64_t level;
    struct config_list tags;
    int64_t timeout_ms;
    int allow_master; /* enum config_yes_no */
    bool allow_unparsed;
    bool create;
    uint64_t shrink_guard;  /* percent; 0: off */
    int on_shrink;          /* GUARD_WARN or GUARD_REFUSE */
    int memory_guard;       /* enum guard_policy */
    int space_guard;        /* enum guard_policy */
    uint64_t server_memory; /* bytes; 0: not given */
    struct config_list with_config;
    int config_secrets; /* enum config_secrets */

    /* restore */
    const char *target;
    bool to_stdout;
    const char *backup;
    int layout; /* enum config_layout */
    const char *redis_conf;
    int appendonly; /* enum config_appendonly */
    const char *dbfilename;
    const char *appenddirname;
    const char *appendfilename;
    bool if_empty;
    struct config_list ignore;
    const char *only_ordinal;
    const char *pod_index;
    int if_no_backup; /* enum config_policy */
    int if_no_repo;   /* enum config_policy */
    const char *if_unreachable;
    const char *live_peers;
    const char *server_version;
    const char *server_binary;
    const char *owner;
    bool force;
    bool discard;
    bool dry_run;
    const char *from;
    const char *config_to;

    /* list, verify */
    bool all_instances;
    bool all;
    bool quick;
    bool load;
    uint64_t sample; /* 0: not given */
    const char *temp_dir;
    int record; /* enum config_record */

    /* prune */
    uint64_t keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly; /* 0: not given */
    int64_t keep_within_ms;                                                              /* 0: not given */
    uint64_t min_good;
    int64_t expect_every_ms; /* 0: not given */
    int64_t orphan_age_ms;
    bool apply;

    /* delete, hold, release, accept */
    const char *reason;

    /* copy */
    const char *to_repo;
    const char *to_instance;
    const char *to_s3_endpoint;
    const char *to_s3_region;
    int to_s3_addressing; /* enum config_addressing */
    const char *to_s3_access_key_file;
    const char *to_s3_ca;

    /* agent, trigger */
    const char *backup_schedule;
    const char *verify_schedule;
    const char *prune_schedule;
    int64_t backup_jitter_ms; /* 0: not given */
    const char *time_zone;
    const char *run_on;
    const char *listen;
    const char *token_file;
    int64_t grace_ms;
    int64_t stall_timeout_ms;
    const char *url;

    const char *metrics_file; /* backup, verify, prune */

    /* inspect */
    uint64_t top;
    const char *prefix_separator;
    uint64_t prefix_depth;

    struct config_list typed; /* the names of the options of the command line; the others are of the environment */

    char **owned; /* every string above */
    size_t owned_count;
};

/* Was OPTION ("repo") given on the command line, and not by the environment? */
bool config_is_typed(const struct config *c, const char *option);

/* Keep a copy of TEXT (LEN bytes) for as long as the config lives. */
char *config_keep(struct config *c, const char *text, size_t len);

/* Wipe and free all strings. The struct may then be thrown away. */
void config_fini(struct config *c);

#endif
