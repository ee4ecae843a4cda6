/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.c: see cgroup.h. A process sees its path in /proc/self/cgroup as its cgroup namespace shows it: in a container
 * of version 1 that path is often the host's, which is not mounted here. So the files are looked for at the path and at
 * each of its parents, up to the mount's own root, and whatever is found counts.
 */
#include "agent/cgroup.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/file.h"

#define SMALL_FILE 65536
#define PATH_BYTES 4096

/* The first two numbers of the file DIR/NAME. How many there were; "max" is none. */
static int
read_numbers(const char *dir, const char *name, long long *first, long long *second)
{
    struct err unused = ERR_INIT;
    char path[PATH_BYTES + 64];
    char *data = NULL, *p, *end;
    long long *const numbers[] = {first, second};
    size_t len = 0;
    int count = 0;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (file_read_all(AT_FDCWD, path, SMALL_FILE, &data, &len, &unused) < 0)
        return 0;
    for (p = data; count < 2; p = end) {
        long long number = strtoll(p, &end, 10);

        if (end == p)
            break;
        *numbers[count++] = number;
    }
    free(data);
    return count;
}

/* A limit set in the folder DIR itself; 0: none. */
typedef uint64_t limit_fn(const char *dir);

static uint64_t
cpu_quota(const char *dir)
{
    long long quota = 0, period = 0, unused = 0;

    if (read_numbers(dir, "cpu.max", &quota, &period) < 2 &&
        (read_numbers(dir, "cpu.cfs_quota_us", &quota, &unused) < 1 ||
         read_numbers(dir, "cpu.cfs_period_us", &period, &unused) < 1))
        return 0;
    if (quota <= 0 || period <= 0)
        return 0;
    return (uint64_t)((quota - 1) / period + 1);
}

static uint64_t
memory_limit(const char *dir)
{
    long long bytes = 0, unused = 0;

    if (read_numbers(dir, "memory.max", &bytes, &unused) < 1 &&
        read_numbers(dir, "memory.limit_in_bytes", &bytes, &unused) < 1)
        return 0;
    return bytes > 0 ? (uint64_t)bytes : 0; /* none is a huge number in version 1 */
}

static uint64_t
smaller_limit(uint64_t a, uint64_t b)
{
    if (a == 0 || b == 0)
        return a > b ? a : b;
    return a < b ? a : b;
}

/* The least limit of MOUNT/PATH and all folders above it, MOUNT included. */
static uint64_t
least_upwards(const char *mount, const char *path, limit_fn *limit)
{
    char dir[PATH_BYTES];
    size_t top = strlen(mount);
    uint64_t least = 0;

    if (snprintf(dir, sizeof(dir), "%s%s", mount, path) >= (int)sizeof(dir))
        return 0;
    for (;;) {
        char *slash;

        least = smaller_limit(least, limit(dir));
        slash = strrchr(dir, '/');
        if (slash == NULL || slash < dir + top)
            return least;
        *slash = '\0';
    }
}

/* Does the comma-separated LIST hold CONTROLLER? */
static int
has_controller(const char *list, size_t len, const char *controller)
{
    for (const char *at = list, *end = list + len; at < end;) {
        size_t word = strcspn(at, ",:");

        if (word == strlen(controller) && memcmp(at, controller, word) == 0)
            return 1;
        at += word + 1;
    }
    return 0;
}

/* One line of /proc/self/cgroup: "0::/path" (version 2), or "4:cpu,cpuacct:/path". */
static uint64_t
limit_of_line(const char *root, const char *line, const char *controller, limit_fn *limit)
{
    const char *list = strchr(line, ':'), *path = list != NULL ? strchr(list + 1, ':') : NULL;
    char mount[PATH_BYTES];
    size_t len;

    if (path == NULL)
        return 0;
    list++;
    len = (size_t)(path - list);
    path++;
    if (len == 0) {
        uint64_t unified;

        (void)snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup/unified", root); /* beside version 1 */
        unified = least_upwards(mount, path, limit);
        (void)snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup", root);
        return smaller_limit(unified, least_upwards(mount, path, limit));
    }
    if (!has_controller(list, len, controller))
        return 0;
    (void)snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup/%.*s", root, (int)len, list);
    return least_upwards(mount, path, limit);
}

static uint64_t
least_limit(const char *root, const char *controller, limit_fn *limit)
{
    struct err unused = ERR_INIT;
    char path[PATH_BYTES], *data = NULL, *rest = NULL;
    size_t len = 0;
    uint64_t least = 0;

    (void)snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    if (file_read_all(AT_FDCWD, path, SMALL_FILE, &data, &len, &unused) < 0)
        return 0;
    for (char *line = strtok_r(data, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        least = smaller_limit(least, limit_of_line(root, line, controller, limit));
    free(data);
    return least;
}

unsigned
cgroup_quota_cpus(const char *root)
{
    return (unsigned)least_limit(root, "cpu", cpu_quota);
}

/* MemTotal of /proc/meminfo; 0: cannot be read. */
static uint64_t
machine_memory(const char *root)
{
    struct err unused = ERR_INIT;
    uint64_t kib = 0;
    char path[PATH_BYTES], *data = NULL;
    const char *line;
    size_t len = 0;

    (void)snprintf(path, sizeof(path), "%s/proc/meminfo", root);
    if (file_read_all(AT_FDCWD, path, SMALL_FILE, &data, &len, &unused) < 0)
        return 0;
    line = strstr(data, "MemTotal:");
    if (line != NULL)
        kib = strtoull(line + strlen("MemTotal:"), NULL, 10);
    free(data);
    return kib * 1024;
}

uint64_t
cgroup_memory(const char *root)
{
    return smaller_limit(least_limit(root, "memory", memory_limit), machine_memory(root));
}

unsigned
cgroup_cpus(const char *root)
{
    unsigned quota = cgroup_quota_cpus(root), cpus = 1;
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
        cpus = (unsigned)CPU_COUNT(&set);
    return quota > 0 && quota < cpus ? quota : cpus;
}

/* A small file of ROOT/proc/WHO/NAME; NULL where it cannot be read, or is empty. The caller frees it. */
static char *
read_process(const char *root, const char *who, const char *name)
{
    struct err unused = ERR_INIT;
    char path[PATH_BYTES], *data = NULL;
    size_t len = 0;

    (void)snprintf(path, sizeof(path), "%s/proc/%s/%s", root, who, name);
    if (file_read_all(AT_FDCWD, path, SMALL_FILE, &data, &len, &unused) == 0 && len > 0)
        return data;
    free(data);
    return NULL;
}

bool
cgroup_is_shared(const char *root, uint64_t pid, const char *program)
{
    char who[24], *name, *theirs, *ours;
    bool shared;

    if (pid == 0 || program[0] == '\0')
        return false;
    (void)snprintf(who, sizeof(who), "%" PRIu64, pid);
    name = read_process(root, who, "comm");
    theirs = read_process(root, who, "cgroup");
    ours = read_process(root, "self", "cgroup");
    if (name != NULL)
        name[strcspn(name, "\n")] = '\0';
    shared = name != NULL && theirs != NULL && ours != NULL && strcmp(name, program) == 0 && strcmp(theirs, ours) == 0;
    free(name);
    free(theirs);
    free(ours);
    return shared;
}
