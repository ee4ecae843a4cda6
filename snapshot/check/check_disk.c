/* SPDX-License-Identifier: Apache-2.0 */
/* check_disk.c: see check_disk.h. */
#include "snapshot/check/check_disk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/units.h"
#include "snapshot/check/check_judge.h"

/* The server counts a save as done when its child has ended, which a slow volume's fsync may delay. */
#define SYNC_SLACK_S 300
/* Both times have whole seconds at least on one side. */
#define ROUNDING_S 2
#define MAGIC_LEN  9

#define REMEDY_FOLDER "mount the volume of the server at --redis-url here, and give its folder with --data-dir"

static void
probe_room(struct check *c, const char *path, const struct dump_stamp *dump, const struct server_status *status)
{
    char needed[UNITS_TEXT_MAX], available[UNITS_TEXT_MAX];
    struct dump_room room = {0};
    struct err err = ERR_INIT;
    uint64_t used_memory = status != NULL ? status->memory.used : 0;

    if (dump_check_space(path, dump, used_memory, &err) < 0 ||
        dump_measure_room(path, dump, used_memory, &room, &err) < 0) {
        check_failed(c, "space", &err, "enlarge the volume, or remove what is not needed on it");
        return;
    }
    (void)units_format_size(room.needed, needed);
    (void)units_format_size(room.free, available);
    if (room.needed > 0)
        check_ok(c, "space", "%s free, a save needs about %s (%s)", available, needed,
                 dump->exists ? "1.2 times the last dump" : "the used memory, as there is no dump yet");
    else
        check_ok(c, "space", "%s free; what a save needs is not known", available);
}

static void
probe_leftovers(struct check *c, const char *path, const struct server_status *status)
{
    bool is_saving = status != NULL && (status->rdb_running || status->syncing);
    char names[256];
    size_t count = dump_list_leftovers(path, names, sizeof(names));

    if (count > 0 && !is_saving)
        check_warn(c, "leftovers", "remove them while the server does not save",
                   "%zu files of saves that were killed take room: %s", count, names);
    else
        check_ok(c, "leftovers", is_saving ? "not looked for while a save is running" : "no files of killed saves");
}

/* Can we read the dump, and is it one that we know? */
static void
probe_dump(struct check *c, const char *path, const struct dump_stamp *dump)
{
    char head[MAGIC_LEN + 1] = "", size[UNITS_TEXT_MAX];
    struct dump_file file = {.fd = -1};
    struct err err = ERR_INIT;

    if (!dump->exists) {
        check_ok(c, "dump", "%s does not exist yet: whether this uid may read it, the first save will show", path);
        return;
    }
    if (dump_open(path, &file, &err) < 0) {
        check_failed(c, "dump", &err,
                     err.code == ERR_CORRUPT ? "look at what wrote it; the next good save replaces it"
                                             : "run with the server's uid (runAsUser), or give both one fsGroup");
        return;
    }
    check_ok(c, "dump", "%s can be read here (%s)", path, units_format_size(dump->size, size));
    if (pread(file.fd, head, MAGIC_LEN, 0) == MAGIC_LEN)
        check_judge_dump_version(c, head);
    dump_close(&file);
}

void
check_judge_same_folder(struct check *c, const struct dump_stamp *dump, const struct server_status *status)
{
    char dump_text[UNITS_TEXT_MAX], save_text[UNITS_TEXT_MAX];
    int64_t dump_s = dump->mtime.tv_sec, save_s = status->last_save_s;

    if (!status->has_saves || status->saves == 0 || save_s < 0 || status->rdb_running || !status->last_save_ok) {
        check_ok(c, "same-folder",
                 "whether it is the server's cannot be told before a good save since its start; a "
                 "backup proves it each time");
        return;
    }
    if (!dump->exists) {
        check_fail(c, "same-folder", ERR_USAGE, REMEDY_FOLDER,
                   "the server has saved since its start, but there is no dump in the folder: it is not the server's");
        return;
    }
    (void)units_format_time(dump_s * 1000, dump_text);
    (void)units_format_time(save_s * 1000, save_text);
    if (dump_s > save_s + ROUNDING_S || dump_s < save_s - SYNC_SLACK_S)
        check_warn(c, "same-folder", REMEDY_FOLDER,
                   "the dump was written %s, the server's last save ended %s: it may be another server's folder",
                   dump_text, save_text);
    else
        check_ok(c, "same-folder", "the dump's time and the server's last save fit (%s)", save_text);
}

void
check_disk(struct check *c, const char *folder, const char *dbfilename, const struct server_status *status)
{
    char *path = mem_printf("%s/%s", folder, dbfilename);
    struct dump_stamp dump;
    struct err err = ERR_INIT;

    c->area = "disk";
    if (dump_stamp_take(path, &dump, &err) < 0) {
        check_failed(c, "folder", &err, REMEDY_FOLDER);
    } else {
        check_ok(c, "folder", "%s exists", folder);
        probe_room(c, path, &dump, status);
        probe_leftovers(c, path, status);
        probe_dump(c, path, &dump);
        if (status != NULL)
            check_judge_same_folder(c, &dump, status);
    }
    free(path);
}
