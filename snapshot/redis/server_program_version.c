/* SPDX-License-Identifier: Apache-2.0 */
/* server_program_version.c: see server_program.h. */
#include "snapshot/redis/server_program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sig.h"

#define PAUSE_MS    5
#define ANSWER_SIZE 1024 /* "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=..." */

/* A group of its own, so that all of it can be killed; stdout is the pipe's end FD. *PID; an errno. */
static int
start(const char *program, int fd, pid_t *pid)
{
    char *const argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t) "--version", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int rc;

    if ((rc = posix_spawn_file_actions_init(&actions)) != 0)
        return rc;
    if ((rc = posix_spawnattr_init(&attr)) != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return rc;
    }
    if ((rc = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP)) == 0 &&
        (rc = posix_spawnattr_setpgroup(&attr, 0)) == 0 &&
        (rc = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)) == 0 &&
        (rc = posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO)) == 0)
        rc = posix_spawnp(pid, program, &actions, &attr, argv, environ);
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&actions);
    return rc;
}

static int
took_too_long(struct err *err)
{
    return err_set(err, ERR_USAGE, "it did not end in time");
}

/* All that comes until the end; what has no room is read and dropped. */
static int
read_answer(int fd, char answer[ANSWER_SIZE], int64_t until, struct err *err)
{
    size_t len = 0;
    char rest[256];

    answer[0] = '\0';
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left = until - clock_mono_ms();
        bool has_room = len < ANSWER_SIZE - 1;
        ssize_t n;

        if (sig_check(err) < 0)
            return -1;
        if (left <= 0)
            return took_too_long(err);
        if (poll(&p, 1, (int)left) <= 0)
            continue;
        n = has_room ? read(fd, answer + len, ANSWER_SIZE - 1 - len) : read(fd, rest, sizeof(rest));
        if (n < 0 && errno != EINTR)
            return err_sys(err, ERR_INTERNAL, errno, "read");
        if (n == 0)
            return 0;
        if (n > 0 && has_room) {
            len += (size_t)n;
            answer[len] = '\0';
        }
    }
}

/* Wait for its end. *STATUS as of waitpid(). */
static int
wait_for(pid_t pid, int64_t until, int *status, struct err *err)
{
    for (;;) {
        pid_t ended = waitpid(pid, status, WNOHANG);

        if (ended == pid)
            return 0;
        if (ended < 0)
            return err_sys(err, ERR_INTERNAL, errno, "wait for it");
        if (sig_check(err) < 0)
            return -1;
        if (clock_mono_ms() >= until)
            return took_too_long(err);
        clock_sleep_ms(PAUSE_MS);
    }
}

static int
run(const char *program, int64_t timeout_ms, char answer[ANSWER_SIZE], struct err *err)
{
    int64_t until = clock_mono_ms() + timeout_ms;
    int fds[2], status = 0, rc;
    pid_t pid = 0;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "pipe");
    rc = start(program, fds[1], &pid);
    (void)close(fds[1]);
    if (rc != 0) {
        (void)close(fds[0]);
        return err_set(err, ERR_USAGE, "cannot run it: %s", strerror(rc));
    }
    rc = read_answer(fds[0], answer, until, err);
    (void)close(fds[0]);
    if (rc == 0)
        rc = wait_for(pid, until, &status, err);
    if (rc < 0) {
        (void)kill(-pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        return -1;
    }
    if (WIFSIGNALED(status))
        return err_set(err, ERR_USAGE, "signal %d ended it", WTERMSIG(status));
    return WEXITSTATUS(status) == 0 ? 0 : err_set(err, ERR_USAGE, "its exit status was %d", WEXITSTATUS(status));
}

int
server_program_version(const char *program, int64_t timeout_ms, struct server_version *out, struct err *err)
{
    char answer[ANSWER_SIZE];

    if (run(program, timeout_ms, answer, err) < 0 || server_version_parse(answer, out, err) < 0)
        return err_wrap(err, "%s --version", program);
    return 0;
}
