/* SPDX-License-Identifier: Apache-2.0 */
/* options_table.c: the options, in the order in which help shows them. The only thing to edit for a new one is this
 * table and struct config. */
#include "agent/options.h"

#define IN(command) (1u << COMMAND_##command)
#define IN_KEEP     (IN(PRUNE) | IN(DELETE) | IN(HOLD) | IN(RELEASE) | IN(ACCEPT))
#define IN_WORK     (IN(BACKUP) | IN(VERIFY) | IN(PRUNE))
#define IN_TRAVEL   (IN(EXPORT) | IN(IMPORT) | IN(COPY))
#define IN_REPO                                                                                                        \
    (IN(INIT) | IN(BACKUP) | IN(RESTORE) | IN(LIST) | IN(SHOW) | IN(VERIFY) | IN_KEEP | IN_TRAVEL | IN(INSPECT) |      \
     IN(AGENT) | IN(CHECK))
#define IN_ALL       (IN_REPO | IN(TRIGGER) | IN(VERSION) | IN(HELP) | IN(NONE))
#define NUMBER_LIMIT ((uint64_t)1 << 62)

/* The offset of MEMBER; does not compile when MEMBER is not a TYPE. */
#define FIELD(type, member) (offsetof(struct config, member) + 0 * sizeof((type *)0 == &((struct config *)0)->member))
#define FLAG(member)        .kind = OPTION_FLAG, .field = FIELD(bool, member)
#define STRING(member)      .kind = OPTION_STRING, .field = FIELD(const char *, member)
#define SECRET(member)      .kind = OPTION_SECRET, .field = FIELD(const char *, member)
#define SIZE(member)        .kind = OPTION_SIZE, .field = FIELD(uint64_t, member)
#define NUMBER(member)      .kind = OPTION_NUMBER, .field = FIELD(uint64_t, member)
#define DURATION(member)    .kind = OPTION_DURATION, .field = FIELD(int64_t, member)
#define CHOICE(member)      .kind = OPTION_CHOICE, .field = FIELD(int, member)
#define LIST(member)        .kind = OPTION_LIST, .field = FIELD(struct config_list, member)

/* clang-format off: one option a paragraph */
static const struct option table[] = {
    {"repo", STRING(repo), .global = true, .commands = IN_REPO, .value = "URL",
     .help = "The repository: file:///path, a bare path, or s3://bucket/prefix."},
    {"instance", STRING(instance), .global = true, .commands = IN_REPO, .value = "NAME",
     .help = "The dataset that the backups belong to, such as shop-cache. Never guessed."},
    {"redis-url", STRING(redis_url), .global = true, .commands = IN_REPO, .value = "URL",
     .help = "The server: redis://[user[:password]@]host[:port], rediss:// for TLS, or unix:///path. For a backup by "
             "bgsave or psync redis://127.0.0.1:6379 when not given."},
    {"redis-password-file", SECRET(redis_password_file), .global = true, .commands = IN_REPO, .value = "FILE",
     .help = "A file that holds the server's password (at most 4 kB; one newline at its end is dropped)."},
    {"tls-ca", STRING(tls_ca), .global = true, .commands = IN_REPO | IN(TRIGGER), .value = "FILE",
     .help = "Whom to trust with rediss://: a PEM file of CA certificates, or a folder of them with hashed names. When "
             "not given: whom the system trusts. The server's certificate is always verified. trigger: the same for an "
             "agent behind https://; a file."},
    {"tls-cert", STRING(tls_cert), .global = true, .commands = IN_REPO, .value = "FILE",
     .help = "Our certificate with its chain (PEM), for a server that wants one."},
    {"tls-key", STRING(tls_key), .global = true, .commands = IN_REPO, .value = "FILE",
     .help = "Its key (PEM, not encrypted). When not given: in the file of --tls-cert."},
    {"tls-server-name", STRING(tls_server_name), .global = true, .commands = IN_REPO, .value = "NAME",
     .help = "The name that the server's certificate must carry, when it is not the host of --redis-url."},
    {"s3-endpoint", STRING(s3_endpoint), .global = true, .commands = IN_REPO, .value = "URL",
     .help = "Where the S3 store is: http[s]://host[:port]. When not given: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the "
             "profile's, or AWS itself."},
    {"s3-region", STRING(s3_region), .global = true, .commands = IN_REPO, .value = "NAME",
     .help = "Its region. When not given: AWS_REGION, AWS_DEFAULT_REGION, the profile's, or us-east-1."},
    {"s3-addressing", CHOICE(s3_addressing), .global = true, .commands = IN_REPO, .value = "auto|path|virtual",
     .preset = "auto",
     .help = "Where the bucket's name goes: behind the host, or in front of it. auto: in front for AWS, else behind."},
    {"s3-signature", CHOICE(s3_signature), .global = true, .commands = IN_REPO, .value = "v4|v2", .preset = "v4",
     .help = "v2: for old stores that know no other; by http only, without create-only puts."},
    {"s3-access-key-file", SECRET(s3_access_key_file), .global = true, .commands = IN_REPO, .value = "FILE",
     .help = "A file with the access key: the id, the secret and, if any, the session token, a line each. When not "
             "given: AWS_ACCESS_KEY_ID and its companions, or AWS_PROFILE in the shared files."},
    {"s3-ca", STRING(s3_ca), .global = true, .commands = IN_REPO, .value = "FILE",
     .help = "Certificates to trust for https instead of the system's. When not given: AWS_CA_BUNDLE. Certificates are "
             "always verified."},
    {"s3-storage-class", STRING(s3_storage_class), .global = true, .commands = IN_REPO, .value = "NAME",
     .help = "The storage class of what is put, such as STANDARD_IA."},
    {"s3-sse", CHOICE(s3_sse), .global = true, .commands = IN_REPO, .value = "none|aes256|kms|customer",
     .preset = "none",
     .help = "How the store encrypts what is put. aes256: with keys of its own. kms: with a key of its key service. "
             "customer: with yours, which it forgets after each request; by https only, and whoever reads needs it "
             "too. none: as the bucket says."},
    {"s3-sse-kms-key-id", STRING(s3_sse_kms_key_id), .global = true, .commands = IN_REPO, .value = "ID",
     .help = "The key for --s3-sse kms. When not given: the account's own for S3."},
    {"s3-sse-customer-key-file", SECRET(s3_sse_customer_key_file), .global = true, .commands = IN_REPO, .value = "FILE",
     .help = "A file that holds the key for --s3-sse customer: 32 bytes, as they are or in base64. Without it the "
             "backups cannot be read any more: keep it elsewhere too."},
    {"s3-object-lock", CHOICE(s3_object_lock), .global = true, .commands = IN_REPO,
     .value = "none|governance|compliance", .preset = "none",
     .help = "Lock what a backup consists of against removal (the bucket must have been made with object lock). "
             "compliance: nobody can lift it before its time."},
    {"s3-object-lock-for", DURATION(s3_object_lock_for_ms), .global = true, .commands = IN_REPO, .value = "DURATION",
     .help = "How long, from the put on, such as 30d."},
    {"retry-for", DURATION(retry_for_ms), .global = true, .commands = IN_REPO, .value = "DURATION", .preset = "5m",
     .help = "How long a request to an S3 store that fails is tried again; at most 20s while the store has never "
             "answered."},
    {"json", FLAG(json), .global = true, .commands = IN_ALL,
     .help = "Results, and failures too, as one JSON object on stdout."},
    {"log-format", CHOICE(log_format), .global = true, .commands = IN_ALL, .value = "text|json", .preset = "text",
     .help = "The form of the log lines on stderr."},
    {"log-level", CHOICE(log_level), .global = true, .commands = IN_ALL, .value = "debug|info|warn|error",
     .preset = "info", .help = "The least that is logged."},
    {"progress", CHOICE(progress), .global = true, .commands = IN_REPO | IN(TRIGGER), .value = "auto|always|never",
     .preset = "auto",
     .help = "auto: a bar on a terminal, a log line every 5 seconds elsewhere. always: the bar, wherever stderr goes."},
    {"jobs", NUMBER(jobs), .global = true, .commands = IN_REPO, .value = "N", .min = 1, .max = 64,
     .help =
         "Threads that compress and store during a backup, fetch and decompress when one is read, carry when one is "
         "copied. When not given: the CPUs that this process may use, at most 2. Fewer when --memory does not "
         "suffice."},
    {"memory", SIZE(memory), .global = true, .commands = IN_REPO, .value = "SIZE", .preset = "64M", .min = 1,
     .max = NUMBER_LIMIT,
     .help = "The memory that a backup, its reading or its copying may use, whatever the size of the dataset."},
    {"help", FLAG(help), .global = true, .commands = IN_ALL, .help = "Show the help of the command."},

    {"method", CHOICE(method), .commands = IN(BACKUP) | IN(AGENT), .value = "auto|bgsave|psync|file", .preset = "auto",
     .help =
         "Where the dump comes from. bgsave: a save that the server is asked for, read from its folder. psync: over "
         "the wire, as a replica gets it. file: one that exists. auto: by what is given of --data-dir, --rdb-file "
         "and --redis-url; psync with the last alone."},
    {"data-dir", STRING(data_dir), .commands = IN(BACKUP) | IN(CHECK) | IN(AGENT), .value = "DIR",
     .help = "The server's data folder, as it is mounted here."},
    {"rdb-file", STRING(rdb_file), .commands = IN(BACKUP) | IN(INSPECT) | IN(AGENT), .value = "FILE",
     .help = "The dump file itself, instead of --data-dir; for inspect instead of a backup (- is stdin)."},
    {"spool-dir", STRING(spool_dir), .commands = IN(BACKUP) | IN(AGENT), .value = "DIR",
     .help = "psync: where to keep what comes faster than it can be stored, so that the server need not wait."},
    {"spool-size", SIZE(spool_size), .commands = IN(BACKUP) | IN(AGENT), .value = "SIZE", .preset = "4G",
     .min = 1 << 20, .max = NUMBER_LIMIT, .help = "How much of that folder may be used at most."},
    {"level", NUMBER(level), .commands = IN(BACKUP) | IN(AGENT), .value = "N", .preset = "2", .min = 1, .max = 22,
     .help = "zstd's compression level, 1 to 22."},
    {"tag", LIST(tags), .commands = IN(BACKUP) | IN(AGENT), .value = "KEY=VALUE",
     .help = "A note kept with the backup; no control characters. May be repeated."},
    {"timeout", DURATION(timeout_ms), .commands = IN(BACKUP) | IN(AGENT), .value = "DURATION", .preset = "1h",
     .help = "How long the server may take to save, with the wait for a save that is running already. psync: until the "
             "dump begins to come."},
    {"allow-master", CHOICE(allow_master), .commands = IN(BACKUP) | IN(AGENT), .value = "yes|no", .preset = "yes",
     .help = "no: refuse to burden a master with a save, exit status 4."},
    {"allow-unparsed", FLAG(allow_unparsed), .commands = IN(BACKUP) | IN(AGENT),
     .help = "Take a dump with types that are not known here on its checksum alone."},
    {"create", FLAG(create), .commands = IN(BACKUP) | IN(IMPORT) | IN(COPY),
     .help = "Make the repository and the instance where they are missing. copy: those of the target."},
    {"shrink-guard", NUMBER(shrink_guard), .commands = IN(BACKUP) | IN(AGENT), .value = "PERCENT", .preset = "50",
     .min = 0, .max = 100,
     .help =
         "A backup with fewer keys than this share of the last good one is marked suspicious, with a warning and exit "
         "status 0: it is never taken for the latest, and prune expires nothing, until `remora accept`. Only the "
         "number of keys counts. 0: never."},
    {"on-shrink", CHOICE(on_shrink), .commands = IN(BACKUP) | IN(AGENT), .value = "mark|refuse", .preset = "mark",
     .help = "refuse: such a backup is not even kept, exit status 4."},
    {"memory-guard", CHOICE(memory_guard), .commands = IN(BACKUP) | IN(AGENT), .value = "warn|refuse|off",
     .preset = "warn",
     .help = "bgsave, psync: what to do where the server's memory may not hold the copies that a save makes of what is "
             "written meanwhile: its resident memory and 1.5 times what the last save copied, or a tenth of its data "
             "if that is more. warn: log it and note it in the backup. refuse: exit status 10, before the save."},
    {"server-memory", SIZE(server_memory), .commands = IN(BACKUP) | IN(CHECK) | IN(AGENT), .value = "SIZE",
     .min = 1 << 20, .max = NUMBER_LIMIT,
     .help = "The memory limit of the server's container, which the guard goes by. When not given: that of this "
             "container, where the server is seen to run in it too, else what the server takes for its machine's."},
    {"space-guard", CHOICE(space_guard), .commands = IN(BACKUP) | IN(AGENT), .value = "warn|refuse|off",
     .preset = "refuse",
     .help =
         "bgsave: the same for the room on the server's volume, which a save needs for a second dump beside the old "
         "one. With psync and file the server's volume is not looked at; a --spool-dir always is."},
    {"with-config", LIST(with_config), .commands = IN(BACKUP) | IN(AGENT), .value = "PATH",
     .help = "A configuration file to keep with the backup, such as redis.conf, users.acl, nodes.conf or "
             "sentinel.conf. May be repeated. What the server says of its settings and users is kept with them."},
    {"config-secrets", CHOICE(config_secrets), .commands = IN(BACKUP) | IN(AGENT), .value = "redact|keep",
     .preset = "redact",
     .help =
         "redact: passwords in those files are replaced. keep: they are stored as they stand in the files; what the "
         "server says is redacted all the same."},

    {"target", STRING(target), .commands = IN(RESTORE) | IN(CHECK), .value = "DIR",
     .help = "The folder that the server will start on. It must exist."},
    {"stdout", FLAG(to_stdout), .commands = IN(RESTORE),
     .help = "Write the dump to stdout instead. Only the exit status says that it was whole."},
    {"backup", STRING(backup), .commands = IN(RESTORE), .value = "ID|latest", .preset = "latest",
     .help = "The backup to restore."},
    {"layout", CHOICE(layout), .commands = IN(RESTORE), .value = "auto|rdb|aof|single-aof", .preset = "auto",
     .help = "What the server will read. rdb: one dump, appendonly no. aof: a folder of append-only files, appendonly "
             "yes. single-aof: the same for Redis up to 6.2. auto: by --appendonly, else --redis-conf, else the "
             "running server of --redis-url."},
    {"redis-conf", STRING(redis_conf), .commands = IN(RESTORE) | IN(CHECK), .value = "FILE",
     .help = "The configuration that the server will start with; what it includes is read too. Options given here "
             "win over it."},
    {"appendonly", CHOICE(appendonly), .commands = IN(RESTORE), .value = "auto|yes|no", .preset = "auto",
     .help = "Whether the server will run with appendonly yes."},
    {"dbfilename", STRING(dbfilename), .commands = IN(RESTORE) | IN(CHECK), .value = "NAME",
     .help = "The name of the dump in the target. When not given: by --redis-conf, else dump.rdb."},
    {"appenddirname", STRING(appenddirname), .commands = IN(RESTORE) | IN(CHECK), .value = "NAME",
     .help = "The folder of the append-only files. When not given: by --redis-conf, else appendonlydir."},
    {"appendfilename", STRING(appendfilename), .commands = IN(RESTORE) | IN(CHECK), .value = "NAME",
     .help = "What their names begin with. When not given: by --redis-conf, else appendonly.aof."},
    {"if-empty", FLAG(if_empty), .commands = IN(RESTORE),
     .help = "Where there is data already, that is success: exit status 0, nothing is touched. For init containers."},
    {"ignore", LIST(ignore), .commands = IN(RESTORE) | IN(CHECK), .value = "GLOB",
     .help = "Names in the target that are no data. May be repeated."},
    {"only-ordinal", STRING(only_ordinal), .commands = IN(RESTORE), .value = "N",
     .help = "Restore in the pod of this ordinal only; in any other, exit status 0 and nothing is touched."},
    {"pod-index", STRING(pod_index), .commands = IN(RESTORE) | IN(AGENT), .value = "N",
     .help = "This pod's ordinal. When not given: the number at the end of the host name."},
    {"if-no-backup", CHOICE(if_no_backup), .commands = IN(RESTORE), .value = "fail|start-empty", .preset = "fail",
     .help = "What to do where the instance has no backup at all. start-empty: exit status 0, nothing restored."},
    {"if-no-repo", CHOICE(if_no_repo), .commands = IN(RESTORE), .value = "fail|start-empty", .preset = "fail",
     .help = "The same for a repository or an instance that was never made."},
    {"if-unreachable", STRING(if_unreachable), .commands = IN(RESTORE), .value = "fail|wait:DURATION|start-empty",
     .preset = "fail", .help = "The same for a store that does not answer; wait: try again for so long, then fail."},
    {"live-peers", STRING(live_peers), .commands = IN(RESTORE), .value = "HOST:PORT",
     .help =
         "Other servers of this dataset, such as a headless Service: every address of that name is asked, and "
         "while one holds keys nothing is restored, exit status 4. With the user, password and TLS of --redis-url."},
    {"server-version", STRING(server_version), .commands = IN(RESTORE), .value = "VERSION",
     .help = "The version of the server that will read the data, such as 7.2.4 or valkey-8.1: a dump that it cannot "
             "read is refused, exit status 13."},
    {"server-binary", STRING(server_binary), .commands = IN(RESTORE) | IN(VERIFY) | IN(AGENT), .value = "FILE",
     .help = "The server's program. restore: asked for its version. verify --load: what is started; when not given, "
             "valkey-server or redis-server of the PATH."},
    {"owner", STRING(owner), .commands = IN(RESTORE), .value = "UID:GID",
     .help = "Whom the restored files shall belong to; only root can give them away. When not given: the target's "
             "owner."},
    {"force", FLAG(force), .commands = IN(RESTORE) | IN(DELETE),
     .help = "Restore where there is data: it is moved to .remora-replaced/ in the target. Refused while the server of "
             "--redis-url answers. delete: remove the last good backup too."},
    {"discard", FLAG(discard), .commands = IN(RESTORE),
     .help = "With --force: delete that data once the restored is in place."},
    {"dry-run", FLAG(dry_run), .commands = IN(RESTORE), .help = "Only tell what would be done; change nothing."},
    {"from", STRING(from), .commands = IN(RESTORE), .value = "FILE",
     .help = "Restore the backup in this file of `remora export`, without a repository."},
    {"config-to", STRING(config_to), .commands = IN(RESTORE), .value = "DIR",
     .help = "Write the configuration files that are kept with the backup into this folder, which must be empty or "
             "missing. Alone, or with --target."},

    {"all-instances", FLAG(all_instances), .commands = IN(LIST), .help = "List the backups of every instance."},

    {"all", FLAG(all), .commands = IN(VERIFY) | IN(COPY), .help = "Every backup of the instance."},
    {"quick", FLAG(quick), .commands = IN(VERIFY),
     .help = "Only check that every object exists and has its size. Is never recorded."},
    {"load", FLAG(load), .commands = IN(VERIFY) | IN(AGENT),
     .help = "Also restore into a temporary folder, start a throw-away server on it, and compare what it holds with "
             "the manifest."},
    {"sample", NUMBER(sample), .commands = IN(VERIFY) | IN(AGENT), .value = "N", .min = 1, .max = 10000,
     .help =
         "Verify N backups, chosen over all ages: the newest, the oldest, and evenly between. Damaged manifests are "
         "told besides."},
    {"temp-dir", STRING(temp_dir), .commands = IN(VERIFY) | IN(AGENT), .value = "DIR",
     .help = "Where --load may put a restored dataset for a while. When not given: TMPDIR, else /tmp."},
    {"record", CHOICE(record), .commands = IN(VERIFY), .value = "auto|no", .preset = "auto",
     .help = "Whether a good result is noted in the repository, where list shows it."},

    {"keep-last", NUMBER(keep_last), .commands = IN(PRUNE) | IN(AGENT), .value = "N", .min = 1, .max = 1000000,
     .help = "Keep the newest N backups."},
    {"keep-hourly", NUMBER(keep_hourly), .commands = IN(PRUNE) | IN(AGENT), .value = "N", .min = 1, .max = 1000000,
     .help = "Keep the newest backup of each of the last N hours that have one."},
    {"keep-daily", NUMBER(keep_daily), .commands = IN(PRUNE) | IN(AGENT), .value = "N", .min = 1, .max = 1000000,
     .help = "The same for days."},
    {"keep-weekly", NUMBER(keep_weekly), .commands = IN(PRUNE) | IN(AGENT), .value = "N", .min = 1, .max = 1000000,
     .help = "The same for weeks, which begin on Monday."},
    {"keep-monthly", NUMBER(keep_monthly), .commands = IN(PRUNE) | IN(AGENT), .value = "N", .min = 1, .max = 1000000,
     .help = "The same for months."},
    {"keep-yearly", NUMBER(keep_yearly), .commands = IN(PRUNE) | IN(AGENT), .value = "N", .min = 1, .max = 1000000,
     .help = "The same for years."},
    {"keep-within", DURATION(keep_within_ms), .commands = IN(PRUNE) | IN(AGENT), .value = "DURATION",
     .needs_unit = true, .help = "Keep every backup that is at most this much older than the newest good one."},
    {"min-good", NUMBER(min_good), .commands = IN(PRUNE) | IN(AGENT), .value = "N", .preset = "3", .min = 1,
     .max = 1000000,
     .help = "Never leave fewer good backups than this, whatever the rules say; verified ones are preferred."},
    {"expect-every", DURATION(expect_every_ms), .commands = IN(PRUNE) | IN(AGENT), .value = "DURATION",
     .needs_unit = true,
     .help = "Expire nothing while the newest good backup is older than this: when backups fail, the old ones stay."},
    {"orphan-age", DURATION(orphan_age_ms), .commands = IN(PRUNE) | IN(AGENT), .value = "DURATION", .needs_unit = true,
     .preset = "24h", .help = "Remove what a killed backup has left once its newest object is this old; at least 24h."},
    {"apply", FLAG(apply), .commands = IN(PRUNE), .help = "Do it. Without this the plan is only shown."},

    {"reason", STRING(reason), .commands = IN(DELETE) | IN(HOLD) | IN(ACCEPT), .value = "TEXT",
     .help = "Why, for those who come later."},

    {"to-repo", STRING(to_repo), .commands = IN(COPY), .value = "URL", .help = "The repository to copy into."},
    {"to-instance", STRING(to_instance), .commands = IN(COPY), .value = "NAME",
     .help = "The instance there. When not given: the same name."},
    {"to-s3-endpoint", STRING(to_s3_endpoint), .commands = IN(COPY), .value = "URL",
     .help = "Where that S3 store is. When not given: as for --repo; so are the four below."},
    {"to-s3-region", STRING(to_s3_region), .commands = IN(COPY), .value = "NAME", .help = "Its region."},
    {"to-s3-addressing", CHOICE(to_s3_addressing), .commands = IN(COPY), .value = "auto|path|virtual", .preset = "auto",
     .help = "Where its bucket's name goes."},
    {"to-s3-access-key-file", SECRET(to_s3_access_key_file), .commands = IN(COPY), .value = "FILE",
     .help = "A file with its access key."},
    {"to-s3-ca", STRING(to_s3_ca), .commands = IN(COPY), .value = "FILE", .help = "Certificates to trust for it."},

    {"backup-schedule", STRING(backup_schedule), .commands = IN(AGENT), .value = "SCHEDULE",
     .help = "When backups are taken: MINUTE HOUR DAY MONTH WEEKDAY as cron has them, or @every DURATION. Without it "
             "only when triggered."},
    {"backup-jitter", DURATION(backup_jitter_ms), .commands = IN(AGENT), .value = "DURATION",
     .help = "Begin up to this much later: an offset that is the same every time and differs between instances."},
    {"verify-schedule", STRING(verify_schedule), .commands = IN(AGENT), .value = "SCHEDULE",
     .help = "When the latest backup is verified."},
    {"prune-schedule", STRING(prune_schedule), .commands = IN(AGENT), .value = "SCHEDULE",
     .help = "When prune --apply runs, with the rules given here."},
    {"time-zone", STRING(time_zone), .commands = IN(AGENT), .value = "NAME", .preset = "UTC",
     .help = "The time zone of the schedules, such as Europe/Berlin."},
    {"run-on", STRING(run_on), .commands = IN(AGENT), .value = "any|replica|master|ordinal=N", .preset = "any",
     .help =
         "Which agents do scheduled work: by the role of their server, or by the ordinal of their pod. A trigger is "
         "always followed."},
    {"listen", STRING(listen), .commands = IN(AGENT), .value = "ADDRESS:PORT", .preset = "127.0.0.1:8629",
     .help = "Where HTTP is served: 127.0.0.1:8629, [::1]:8629, or :8629 for all addresses."},
    {"token-file", SECRET(token_file), .commands = IN(AGENT) | IN(TRIGGER), .value = "FILE",
     .help =
         "A file with the bearer token that a trigger has to show: one line of at least 16 letters, digits and signs. "
         "It is read again when it changes. Without one there are no triggers."},
    {"grace", DURATION(grace_ms), .commands = IN(AGENT), .value = "DURATION", .preset = "20s",
     .help = "How long a running job may go on after SIGTERM, its clean-up included."},
    {"stall-timeout", DURATION(stall_timeout_ms), .commands = IN(AGENT), .value = "DURATION", .preset = "15m",
     .help = "A job without any progress for so long is stopped; and another agent takes over a slot whose claimer was "
             "silent for so long."},
    {"url", STRING(url), .commands = IN(TRIGGER), .value = "URL", .preset = "http://127.0.0.1:8629",
     .help = "The agent: http://HOST:PORT, or https:// where a proxy in front of it speaks TLS."},
    {"metrics-file", STRING(metrics_file), .commands = IN_WORK, .value = "FILE",
     .help = "Write metrics of the run into this file, for a Prometheus textfile collector, also when it fails."},

    {"top", NUMBER(top), .commands = IN(INSPECT), .value = "N", .preset = "10", .min = 1, .max = 1000,
     .help = "How many of the largest keys and prefixes are told."},
    {"prefix-separator", STRING(prefix_separator), .commands = IN(INSPECT), .value = "CHARACTER", .preset = ":",
     .help = "What ends a prefix in the names of keys."},
    {"prefix-depth", NUMBER(prefix_depth), .commands = IN(INSPECT), .value = "N", .preset = "1", .min = 1, .max = 8,
     .help = "How many parts of a name make its prefix."},
};
/* clang-format on */

const struct option *
options_table(size_t *count)
{
    *count = ARRAY_LEN(table);
    return table;
}
