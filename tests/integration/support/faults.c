/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults.c: a library to be preloaded (faults.py builds and steers it). It numbers the calls that a program makes on
 * the files of one folder, whatever thread they come from, and at one of them ends the program, or lets the call fail.
 * strace can do neither across threads: it counts for each by itself.
 *
 * FAULT_UNDER=folder      the calls that count: those on files in it
 * FAULT_LOG=file          a line "NUMBER CALL PATH" for each
 * FAULT_AT=number         at this one (the first is 1):
 * FAULT_DO=kill           SIGKILL before it is made
 *          tear           a write is made by half, then SIGKILL
 *          term, stop     SIGTERM, SIGSTOP before it is made
 *          hang           it never returns, as on a file system whose server is gone; other threads go on
 *          NUMBER         it fails with this errno
 * FAULT_CALLS=changing    only those count that can change something
 * FAULT_ALWAYS=a:N,b:N    the calls a and b always fail with these errnos (and are no longer counted), in any folder
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static const char *under, *what, *always;
static bool changing_only;
static long at, made;
static int log_fd = -1;

__attribute__((constructor)) static void
begin(void)
{
    const char *calls = getenv("FAULT_CALLS"), *number = getenv("FAULT_AT"), *log = getenv("FAULT_LOG");

    under = getenv("FAULT_UNDER");
    what = getenv("FAULT_DO");
    always = getenv("FAULT_ALWAYS");
    changing_only = calls != NULL && strcmp(calls, "changing") == 0;
    at = number != NULL ? atol(number) : -1;
    if (log != NULL)
        log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* ---- is it one that counts? -------------------------------------------------------------------------------------- */

/* The path of NAME in DIRFD; of DIRFD itself where NAME is NULL. */
static void
path_of(int dirfd, const char *name, char out[2 * PATH_MAX])
{
    char link[64], folder[PATH_MAX] = "";
    ssize_t len;

    if (name != NULL && (*name == '/' || dirfd == AT_FDCWD)) {
        (void)snprintf(out, 2 * PATH_MAX, "%s", name);
        return;
    }
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", dirfd);
    len = readlink(link, folder, sizeof(folder) - 1);
    folder[len > 0 ? len : 0] = '\0';
    (void)snprintf(out, 2 * PATH_MAX, "%s%s%s", folder, name != NULL ? "/" : "", name != NULL ? name : "");
}

static int
always_fails(const char *call)
{
    size_t len = strlen(call);

    for (const char *p = always; p != NULL && *p != '\0'; p = strchr(p, ',') != NULL ? strchr(p, ',') + 1 : NULL) {
        if (strncmp(p, call, len) == 0 && p[len] == ':')
            return atoi(p + len + 1);
    }
    return 0;
}

static void
tell(const char *call, const char *path)
{
    char line[2 * PATH_MAX + 64];
    int len = snprintf(line, sizeof(line), "%ld %s %s\n", made, call, path);

    if (log_fd >= 0)
        (void)!syscall(SYS_write, log_fd, line, (size_t)len);
}

static void
end_it(void)
{
    (void)kill(getpid(), SIGKILL);
    for (;;)
        (void)pause();
}

/* Called before each call. The errno that it is to fail with, else 0; *TORN when it is to be made by half. */
static int
judge(const char *call, bool changes, int dirfd, const char *name, bool *torn)
{
    int saved = errno, error = always_fails(call);
    char path[2 * PATH_MAX];
    bool now = false;

    if (error != 0 || under == NULL || (changing_only && !changes))
        return error;
    path_of(dirfd, name, path);
    errno = saved;
    if (strncmp(path, under, strlen(under)) != 0)
        return 0;
    (void)pthread_mutex_lock(&mutex);
    now = ++made == at;
    tell(call, path);
    if (now && strcmp(what, "kill") == 0)
        end_it();
    if (now && strcmp(what, "tear") == 0 && torn == NULL)
        end_it();
    (void)pthread_mutex_unlock(&mutex);
    if (!now)
        return 0;
    if (strcmp(what, "hang") == 0)
        for (;;)
            (void)pause();
    if (strcmp(what, "tear") == 0) {
        *torn = true;
        return 0;
    }
    if (strcmp(what, "term") == 0 || strcmp(what, "stop") == 0) {
        (void)kill(getpid(), *what == 't' ? SIGTERM : SIGSTOP);
        return 0;
    }
    return atoi(what);
}

/* ---- the calls --------------------------------------------------------------------------------------------------- */

#define NEXT(type, name) ((type)dlsym(RTLD_NEXT, name))
#define FAIL_IF(call, changes, dirfd, name)                                                                            \
    do {                                                                                                               \
        int error_ = judge(call, changes, dirfd, name, NULL);                                                          \
        if (error_ != 0) {                                                                                             \
            errno = error_;                                                                                            \
            return -1;                                                                                                 \
        }                                                                                                              \
    } while (0)

static int
do_open(int dirfd, const char *path, int flags, mode_t mode)
{
    FAIL_IF("openat", (flags & (O_CREAT | O_TRUNC)) != 0, dirfd, path);
    return (int)syscall(SYS_openat, dirfd, path, flags, mode);
}

#define OPEN(symbol)                                                                                                   \
    int symbol(const char *path, int flags, ...);                                                                      \
    int symbol(const char *path, int flags, ...)                                                                       \
    {                                                                                                                  \
        va_list args;                                                                                                  \
        mode_t mode;                                                                                                   \
        va_start(args, flags);                                                                                         \
        mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;                                      \
        va_end(args);                                                                                                  \
        return do_open(AT_FDCWD, path, flags, mode);                                                                   \
    }
#define OPENAT(symbol)                                                                                                 \
    int symbol(int dirfd, const char *path, int flags, ...);                                                           \
    int symbol(int dirfd, const char *path, int flags, ...)                                                            \
    {                                                                                                                  \
        va_list args;                                                                                                  \
        mode_t mode;                                                                                                   \
        va_start(args, flags);                                                                                         \
        mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;                                      \
        va_end(args);                                                                                                  \
        return do_open(dirfd, path, flags, mode);                                                                      \
    }
OPEN(open)
OPEN(open64)
OPEN(__open_2)
OPEN(__open64_2)
OPENAT(openat)
OPENAT(openat64)
OPENAT(__openat_2)
OPENAT(__openat64_2)

ssize_t
write(int fd, const void *data, size_t len)
{
    bool torn = false;
    int error = fd <= STDERR_FILENO ? 0 : judge("write", true, fd, NULL, &torn);
    ssize_t n;

    if (error != 0) {
        errno = error;
        return -1;
    }
    n = syscall(SYS_write, fd, data, torn ? len / 2 : len);
    if (torn)
        end_it();
    return n;
}

static ssize_t
do_pwrite(int fd, const void *data, size_t len, off_t offset)
{
    bool torn = false;
    int error = judge("pwrite", true, fd, NULL, &torn);
    ssize_t n;

    if (error != 0) {
        errno = error;
        return -1;
    }
    n = syscall(SYS_pwrite64, fd, data, torn ? len / 2 : len, offset);
    if (torn)
        end_it();
    return n;
}

#define BOTH(result, name, parameters, body)                                                                           \
    result name parameters;                                                                                            \
    result name parameters                                                                                             \
    {                                                                                                                  \
        body;                                                                                                          \
    }                                                                                                                  \
    result name##64 parameters;                                                                                        \
    result name##64 parameters                                                                                         \
    {                                                                                                                  \
        body;                                                                                                          \
    }

BOTH(ssize_t, pwrite, (int fd, const void *data, size_t len, off_t offset), return do_pwrite(fd, data, len, offset))

static ssize_t
do_pread(int fd, void *data, size_t len, off_t offset)
{
    FAIL_IF("pread", false, fd, NULL);
    return syscall(SYS_pread64, fd, data, len, offset);
}
BOTH(ssize_t, pread, (int fd, void *data, size_t len, off_t offset), return do_pread(fd, data, len, offset))

ssize_t
read(int fd, void *data, size_t len)
{
    FAIL_IF("read", false, fd, NULL);
    return syscall(SYS_read, fd, data, len);
}

#define CALL(name, changes, dirfd, path, parameters, arguments)                                                        \
    int name parameters;                                                                                               \
    int name parameters                                                                                                \
    {                                                                                                                  \
        FAIL_IF(#name, changes, dirfd, path);                                                                          \
        return NEXT(int(*) parameters, #name) arguments;                                                               \
    }
#define CALL64(name, changes, dirfd, path, parameters, arguments)                                                      \
    CALL(name, changes, dirfd, path, parameters, arguments)                                                            \
    int name##64 parameters;                                                                                           \
    int name##64 parameters                                                                                            \
    {                                                                                                                  \
        FAIL_IF(#name, changes, dirfd, path);                                                                          \
        return NEXT(int(*) parameters, #name "64") arguments;                                                          \
    }

CALL(fsync, true, fd, NULL, (int fd), (fd))
CALL(fdatasync, true, fd, NULL, (int fd), (fd))
CALL64(ftruncate, true, fd, NULL, (int fd, off_t len), (fd, len))
CALL64(fallocate, true, fd, NULL, (int fd, int mode, off_t offset, off_t len), (fd, mode, offset, len))
CALL(sync_file_range, true, fd, NULL, (int fd, off_t offset, off_t len, unsigned flags), (fd, offset, len, flags))
CALL(renameat, true, from_dir, from, (int from_dir, const char *from, int to_dir, const char *to),
     (from_dir, from, to_dir, to))
CALL(renameat2, true, from_dir, from, (int from_dir, const char *from, int to_dir, const char *to, unsigned flags),
     (from_dir, from, to_dir, to, flags))
CALL(linkat, true, from_dir, from, (int from_dir, const char *from, int to_dir, const char *to, int flags),
     (from_dir, from, to_dir, to, flags))
CALL(unlinkat, true, dirfd, path, (int dirfd, const char *path, int flags), (dirfd, path, flags))
CALL(mkdirat, true, dirfd, path, (int dirfd, const char *path, mode_t mode), (dirfd, path, mode))
CALL(flock, true, fd, NULL, (int fd, int operation), (fd, operation))
CALL(fchmod, true, fd, NULL, (int fd, mode_t mode), (fd, mode))
CALL(fchown, true, fd, NULL, (int fd, uid_t uid, gid_t gid), (fd, uid, gid))
CALL(faccessat, false, dirfd, path, (int dirfd, const char *path, int mode, int flags), (dirfd, path, mode, flags))
CALL64(fstat, false, fd, NULL, (int fd, void *st), (fd, st))
CALL64(fstatat, false, dirfd, path, (int dirfd, const char *path, void *st, int flags), (dirfd, path, st, flags))
CALL64(fstatvfs, false, fd, NULL, (int fd, void *fs), (fd, fs))

DIR *
fdopendir(int fd)
{
    int error = judge("fdopendir", false, fd, NULL, NULL);

    if (error != 0) {
        errno = error;
        return NULL;
    }
    return NEXT(DIR * (*)(int), "fdopendir")(fd);
}

static void *
do_readdir(DIR *dir, const char *symbol)
{
    int error = judge("readdir", false, dirfd(dir), NULL, NULL);

    if (error != 0) {
        errno = error;
        return NULL;
    }
    return NEXT(void *(*)(DIR *), symbol)(dir);
}

struct dirent *
readdir(DIR *dir)
{
    return do_readdir(dir, "readdir");
}

struct dirent64 *
readdir64(DIR *dir)
{
    return do_readdir(dir, "readdir64");
}
