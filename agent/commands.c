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
