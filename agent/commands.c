/* SPDX-License-Identifier: Apache-2.0 */
/* commands.c: see commands.h. */
#include "agent/commands.h"

#include <string.h>

#include "base/compiler.h"

static const struct command commands[COMMAND_COUNT] = {
    [COMMAND_NONE] = {.name = "", .arguments = "", .summary = "", .text = "", .example = ""},
    [COMMAND_INIT] =
        {
            .name = "init",
            .arguments = "",
            .summary = "make a repository and, with --instance, an instance in it",
            .text = "Makes the repository's marker and, with --instance, the instance's. What is there already is "
                    "checked and left, so it can run before every deployment. No other command makes a repository, "
                    "but for `backup --create`: a mistyped path is never taken for an empty repository.",
            .example = "remora init --repo file:///backups --instance shop-cache",
        },
    [COMMAND_BACKUP] =
        {
            .name = "backup",
            .arguments = "",
            .summary = "take a backup; prints its id",
            .text = "Asks the server for a save (bgsave) and stores the dump it writes, or stores a dump file as it "
                    "stands (file). The dump is parsed and its checksum computed on the way; a dump that is not whole "
                    "never becomes a backup.\n"
                    "Method auto: bgsave with --data-dir, or with --rdb-file and --redis-url together; file with "
                    "--rdb-file "
                    "alone. The password is taken from --redis-url, else from --redis-password-file, else from the "
                    "environment variable REDISCLI_AUTH.",
            .example = "remora backup --repo file:///backups --instance shop-cache --data-dir /data\n"
                       "remora backup --repo file:///backups --instance shop-cache --rdb-file old/dump.rdb",
        },
    [COMMAND_RESTORE] =
        {
            .name = "restore",
            .arguments = "",
            .summary = "bring a backup into an empty folder, or down a pipe",
            .text =
                "Looks at the folder first, before anything is asked over a network: data in it, or anything "
                "unknown, ends the run with exit status 4 and nothing changed; with --if-empty data is kept and "
                "that is success, with --force it is moved away. Then the dump is fetched, checked while it is "
                "written, and enters by one rename. A restore that was interrupted after that point is finished by "
                "the next run, without the repository.\n"
                "A server with `appendonly yes` ignores a dump, one with `appendonly no` ignores append-only files, "
                "and both then start empty: --appendonly, --redis-conf or a running server at --redis-url has to "
                "say what it will be.",
            .example = "remora restore --repo file:///backups --instance shop-cache --target /data --appendonly yes\n"
                       "remora restore --target /data --if-empty --redis-conf /etc/redis/redis.conf\n"
                       "remora restore --repo file:///backups --instance shop-cache --stdout > dump.rdb",
        },
    [COMMAND_LIST] =
        {
            .name = "list",
            .arguments = "",
            .summary = "the backups of an instance, oldest first",
            .text = "Damaged backups are shown as such. Reads small objects only.",
            .example = "remora list --repo file:///backups --instance shop-cache",
        },
    [COMMAND_SHOW] =
        {
            .name = "show",
            .arguments = "ID|latest",
            .args_min = 1,
            .args_max = 1,
            .summary = "everything known about one backup",
            .text = "What the manifest says: sizes, keys per database and type, the server it came from and the "
                    "settings that a restore has to know.",
            .example = "remora show latest --repo file:///backups --instance shop-cache",
        },
    [COMMAND_VERIFY] =
        {
            .name = "verify",
            .arguments = "[ID|latest]",
            .args_max = 1,
            .summary = "check that backups are still what they were",
            .text = "Reads every byte: digests, decompression, the dump's structure, its checksum and its counts. "
                    "Without an argument: the latest. A good result is recorded in the repository, unless --record no. "
                    "The exit status is 5 when any backup is damaged.",
            .example = "remora verify --repo file:///backups --instance shop-cache --all",
        },
    [COMMAND_PRUNE] =
        {
            .name = "prune",
            .arguments = "",
            .summary = "remove what no rule keeps; without --apply only the plan",
            .text =
                "Every backup is told with the reason why it is kept or goes. Several rules are added up: a backup "
                "that "
                "any of them keeps stays. Hours, days, weeks, months and years are UTC's. Without a rule no backup is "
                "removed.\n"
                "Nothing is expired while the newest good backup is older than --expect-every, or while the newest one "
                "is marked suspicious and was not accepted; what is held stays, and --min-good good ones always do. "
                "What of a backup takes room is removed a day after the backup itself, by a later prune; so is what "
                "killed runs have left.",
            .example = "remora prune --repo file:///backups --instance shop-cache --keep-hourly 24 --keep-daily 14\n"
                       "remora prune --instance shop-cache --keep-within 30d --expect-every 2h --apply",
        },
    [COMMAND_DELETE] =
        {
            .name = "delete",
            .arguments = "ID",
            .args_min = 1,
            .args_max = 1,
            .summary = "remove one backup",
            .text = "The backup is gone at once; what of it takes room goes with a prune a day later. One that is held "
                    "is refused, and so is the last good one, unless --force; exit status 4.",
            .example = "remora delete 20261122T103000Z-1a2b3c --repo file:///backups --instance shop-cache",
        },
    [COMMAND_HOLD] =
        {
            .name = "hold",
            .arguments = "ID|latest",
            .args_min = 1,
            .args_max = 1,
            .summary = "keep a backup from prune and delete",
            .text =
                "Until `remora release`. Exit status 3: it is gone already; 11: it is just being removed, and may be "
                "gone a moment later.",
            .example =
                "remora hold latest --repo file:///backups --instance shop-cache --reason 'before the migration'",
        },
    [COMMAND_RELEASE] =
        {
            .name = "release",
            .arguments = "ID",
            .args_min = 1,
            .args_max = 1,
            .summary = "end a hold",
            .text = "From then on the rules of prune decide again. A backup that is not held is success too.",
            .example = "remora release 20261122T103000Z-1a2b3c --repo file:///backups --instance shop-cache",
        },
    [COMMAND_ACCEPT] =
        {
            .name = "accept",
            .arguments = "ID",
            .args_min = 1,
            .args_max = 1,
            .summary = "clear a backup's suspicious mark",
            .text =
                "A backup with far fewer keys than the one before is marked suspicious: it is never the latest, and "
                "prune expires nothing while it is the newest. When the data are meant to be so small, accept it.",
            .example = "remora accept 20261122T103000Z-1a2b3c --repo file:///backups --instance shop-cache",
        },
    [COMMAND_EXPORT] =
        {
            .name = "export",
            .arguments = "ID|latest FILE|-",
            .args_min = 2,
            .args_max = 2,
            .summary = "write one backup as one tar file, or down a pipe",
            .text = "The tar is a whole repository with this one backup: `remora restore --from` reads it as it is, "
                    "`remora import` takes it into any repository, and unpacked with tar it is a repository in a "
                    "folder. Every digest is checked on the way. A FILE that is there is not overwritten.",
            .example = "remora export latest backup.tar --repo file:///backups --instance shop-cache\n"
                       "remora export latest - --repo file:///backups --instance shop-cache | ssh host 'cat > b.tar'",
        },
    [COMMAND_IMPORT] =
        {
            .name = "import",
            .arguments = "FILE|-",
            .args_min = 1,
            .args_max = 1,
            .summary = "take an exported backup into a repository; prints its id",
            .text = "Every digest is checked before the backup exists. It keeps its id and its time; one that is there "
                    "already is success. An import that was interrupted is gone on with by the next.\n"
                    "The file is read once, from its beginning to its end, as `remora export` writes it. One that was "
                    "unpacked and packed anew in another order is refused, exit status 5; unpacked it is a repository, "
                    "which `remora copy` takes backups from.",
            .example = "remora import backup.tar --repo s3://bucket/prefix --instance shop-cache",
        },
    [COMMAND_COPY] =
        {
            .name = "copy",
            .arguments = "[ID|latest]",
            .args_max = 1,
            .summary = "copy backups into another repository",
            .text = "From --repo and --instance to --to-repo and --to-instance, byte for byte, every digest checked. "
                    "What is there already is passed over, what was interrupted is gone on with. Without an argument: "
                    "the latest. A suspicious mark that was accepted stays accepted; holds and the results of verify "
                    "are not copied.\n"
                    "--all copies the oldest first. A damaged backup does not keep the others from being copied: exit "
                    "status 5 in the end. The source is only read. The options --to-s3-... replace those of the "
                    "target; what else is said of S3, and the environment's credentials, hold for both, and "
                    "--s3-storage-class, --s3-sse and --s3-object-lock for what is put.",
            .example = "remora copy --all --repo file:///backups --instance shop-cache --to-repo s3://bucket/prefix",
        },
    [COMMAND_INSPECT] =
        {
            .name = "inspect",
            .arguments = "[ID|latest]",
            .args_max = 1,
            .summary = "what a backup or a dump file holds: keys, sizes, types, prefixes",
            .text =
                "Reads and proves all of it, like verify, in fixed memory, and tells nothing of one that is damaged. "
                "Sizes are bytes of the dump, not of the server's memory: by database, type and encoding (as the dump "
                "has them: a string is raw, int or lzf), by when keys expire, by size and by prefix, and the keys with "
                "the most bytes and the most elements. A prefix is the first parts of a name and the separator behind "
                "each. Of over 32,768 prefixes the smallest make room: figures are lower bounds then, and the output "
                "says by how much at most. Bytes of names that cannot be shown are \\xNN, a backslash is \\\\. With "
                "--json: source, rdb, keys, bytes, expires, databases, types, expiry, sizes, prefixes (exact: whether "
                "its figures are), largest (by_bytes, by_elements).",
            .example = "remora inspect latest --repo file:///backups --instance shop-cache\n"
                       "remora inspect --rdb-file dump.rdb --top 50 --json",
        },
    [COMMAND_AGENT] =
        {
            .name = "agent",
            .arguments = "",
            .summary = "run beside the server: backups on time, and HTTP",
            .text =
                "Runs until SIGTERM. Takes backups by --backup-schedule, and verifies and prunes by schedules of their "
                "own, with the options of these commands. A schedule is five cron fields or @every DURATION. A slot "
                "that "
                "was missed is made up for once; a job that fails is tried again after growing pauses until the next "
                "slot. Several agents of one instance share the work: a slot is done by the one that claims it first, "
                "among those that --run-on allows.\n"
                "HTTP: /healthz, /readyz, /metrics, /api/v1/status, /api/v1/backups, /api/v1/jobs/ID, and a page for "
                "people at /. What changes something needs the bearer token of --token-file.\n"
                "SIGHUP reads credentials and token again. SIGTERM lets a running job come to its end, or stops it, "
                "within --grace.",
            .example = "remora agent --repo s3://bucket/prefix --instance shop-cache --backup-schedule '17 * * * *'\n"
                       "remora agent --repo /backups --instance shop-cache --prune-schedule @daily --keep-daily 14",
        },
    [COMMAND_TRIGGER] =
        {
            .name = "trigger",
            .arguments = "",
            .summary = "have a running agent take a backup; waits and prints its id",
            .text =
                "Needs neither the repository nor the volume. A backup that waits to be taken already is joined. The "
                "exit status is the backup's, and its id goes to stdout; 8 when the agent cannot be reached or forgot "
                "the job since it was started anew, 9 when it refuses the token. SIGTERM ends the waiting (12); the "
                "agent goes on.",
            .example = "remora trigger --url http://redis-0.redis:8629 --token-file /etc/remora/token",
        },
    [COMMAND_CHECK] =
        {
            .name = "check",
            .arguments = "",
            .summary = "look at repository, server and target before they are needed",
            .text =
                "Looks at what is given: the repository of --repo, the server of --redis-url, its data folder "
                "--data-dir, the folder --target that is to be restored into. Each row of the table says ok, warn "
                "or fail, what was found, and what to do. Nothing stops at the first failure, and nothing is "
                "changed: an object that is put to try the repository is removed again, and no save is asked for.\n"
                "With --data-dir the server is judged for backups by bgsave, else for backups by psync.\n"
                "The exit status is that of the gravest failure, in this order: 5, 4, 7, 9, 13, 10, 3, 2, 6, 8, 11, "
                "1; warnings alone are 0.",
            .example = "remora check --repo file:///backups --instance shop-cache --data-dir /data\n"
                       "remora check --repo file:///backups --instance shop-cache --target /data --json",
        },
    [COMMAND_VERSION] =
        {
            .name = "version",
            .arguments = "",
            .summary = "the versions of remora and of its libraries",
            .text = "The libraries are named with the version that is loaded now.",
            .example = "remora version",
        },
    [COMMAND_HELP] =
        {
            .name = "help",
            .arguments = "[COMMAND]",
            .args_max = 1,
            .summary = "this text, or a command's",
            .text = "`remora COMMAND --help` is the same as `remora help COMMAND`.",
            .example = "remora help backup",
        },
};

const struct command *
command_get(enum command_id id)
{
    REQUIRE((unsigned)id < COMMAND_COUNT);
    return &commands[id];
}

enum command_id
command_find(const char *name)
{
    for (int id = COMMAND_NONE + 1; id < COMMAND_COUNT; id++)
        if (strcmp(commands[id].name, name) == 0)
            return (enum command_id)id;
    return COMMAND_NONE;
}
