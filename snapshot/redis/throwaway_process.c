/* SPDX-License-Identifier: Apache-2.0 */
/* throwaway_process.c: see throwaway_process.h. Between fork and exec only async-signal-safe calls are made: other
 * threads may hold any lock. */
#include "snapshot/redis/throwaway_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define POLL_MS 10

/* What the child needs between fork and exec. */
struct birth {
    const char *const *argv;
    char *const *environment;
    pid_t parent;
    int folder_fd, null_fd;
    int log_fd;   /* its stdout and stderr */
    int error_fd; /* gets errno when exec fails; closed by exec otherwise */
};

/* ---- the child --------------------------------------------------------------------------------------------------- */

static int
become(const struct birth *b)
{
    struct sigaction standard;
    sigset_t none;

    memset(&standard, 0, sizeof(standard));
    standard.sa_handler = SIG_DFL;
    if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return -1;
    if (getppid() != b->parent) /* it ended before the kernel knew that we die with it */
        _exit(127);
    (void)umask(077);
    (void)sigemptyset(&none);
    if (sigaction(SIGPIPE, &standard, NULL) < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0)
        return -1;
    if (fchdir(b->folder_fd) < 0 || dup2(b->null_fd, 0) < 0 || dup2(b->log_fd, 1) < 0 || dup2(b->log_fd, 2) < 0)
        return -1;
    /* Ours are all opened so that exec closes them; what our own caller left open is not. Kernels before 5.11: as is.
     */
    (void)syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
    return 0;
}

static _Noreturn void
run_child(const struct birth *b)
{
    int errnum;

    if (become(b) == 0) /* exec takes words it does not write to, but its type is older than const */
        (void)execve(b->argv[0], (char *const *)(uintptr_t)b->argv, b->environment);
    errnum = errno;
    (void)!write(b->error_fd, &errnum, sizeof(errnum));
    _exit(127);
}

/* ---- the parent -------------------------------------------------------------------------------------------------- */

static char *
inherit(const char *name)
{
    const char *value = getenv(name);

    return value != NULL ? mem_printf("%s=%s", name, value) : NULL;
}

/* The first to die when memory runs out: a drill must not cost a real server its life. As good as the system lets us.
 */
static void
volunteer(pid_t pid)
{
    char path[64];
    int fd;

    (void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)!write(fd, "1000", 4);
    (void)close(fd);
}

static void
close_pair(int fds[2])
{
    for (int i = 0; i < 2; i++) {
        if (fds[i] >= 0)
            (void)close(fds[i]);
        fds[i] = -1;
    }
}

/* Wait for exec: its errno when it failed, else 0. */
static int
read_exec_error(int fd)
{
    int errnum = 0;
    ssize_t n;

    do
        n = read(fd, &errnum, sizeof(errnum));
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(errnum) ? errnum : 0;
}

static int
give_birth(struct throwaway_process *p, struct birth *b, struct err *err)
{
    int log[2] = {-1, -1}, error[2] = {-1, -1}, errnum, rc = -1;

    /* The server never waits for us to read: its end does not block, and what does not fit is lost. */
    if (pipe2(log, O_CLOEXEC | O_NONBLOCK) < 0 || pipe2(error, O_CLOEXEC) < 0) {
        (void)err_sys(err, ERR_INTERNAL, errno, "pipe to a throw-away server");
        goto out;
    }
    b->log_fd = log[1];
    b->error_fd = error[1];
    b->parent = getpid();
    p->pid = fork();
    if (p->pid == 0)
        run_child(b);
    if (p->pid < 0) {
        p->pid = 0;
        (void)err_sys(err, ERR_INTERNAL, errno, "fork of a throw-away server");
        goto out;
    }
    p->log_fd = log[0];
    log[0] = -1;
    (void)close(error[1]);
    error[1] = -1;
    errnum = read_exec_error(error[0]);
    if (errnum != 0) {
        throwaway_process_end(p, 0);
        (void)err_sys(err, ERR_USAGE, errnum, "the system does not run %s", b->argv[0]);
        goto out;
    }
    volunteer(p->pid);
    rc = 0;
out:
    close_pair(log);
    close_pair(error);
    return rc;
}

int
throwaway_process_start(struct throwaway_process *p, const char *const *argv, int folder_fd, struct err *err)
{
    char *path = inherit("PATH"), *libraries = inherit("LD_LIBRARY_PATH");
    char *environment[] = {path != NULL ? path : libraries, path != NULL ? libraries : NULL, NULL};
    struct birth b = {.argv = argv, .environment = environment, .folder_fd = folder_fd};
    int rc = -1;

    memset(p, 0, sizeof(*p));
    p->log_fd = -1;
    (void)signal(SIGCHLD, SIG_DFL); /* whoever started us may have it ignored: then children leave no status */
    b.null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (b.null_fd >= 0) {
        rc = give_birth(p, &b, err);
        (void)close(b.null_fd);
    } else {
        (void)err_sys(err, ERR_INTERNAL, errno, "open /dev/null");
    }
    free(path);
    free(libraries);
    return rc;
}

/* Add to the tail; its older half goes when there is no room. */
static void
keep(struct throwaway_process *p, const char *data, size_t len)
{
    size_t half = THROWAWAY_TAIL_BYTES / 2;

    REQUIRE(len <= half);
    if (p->tail_len + len > THROWAWAY_TAIL_BYTES) {
        memmove(p->tail, p->tail + p->tail_len - half, half);
        p->tail_len = half;
    }
    for (size_t i = 0; i < len; i++)
        p->tail[p->tail_len++] = data[i] != '\0' ? data[i] : '?';
    p->tail[p->tail_len] = '\0';
}

/* At most a pipe's fill at a time: who writes without end cannot keep us here. */
static void
listen_in(struct throwaway_process *p)
{
    char data[4096];

    for (int i = 0; p->log_fd >= 0 && i < 32; i++) {
        ssize_t n = read(p->log_fd, data, sizeof(data));

        if (n <= 0)
            return;
        keep(p, data, (size_t)n);
    }
}

bool
throwaway_process_runs(struct throwaway_process *p)
{
    siginfo_t info;

    if (p->pid == 0)
        return false;
    if (!p->ended) {
        /* It stays a zombie until throwaway_process_end(), so that its number, which is its group's, stays its own. */
        memset(&info, 0, sizeof(info));
        p->ended = waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == p->pid;
        if (p->ended)
            p->status = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8 : info.si_status & 0x7f;
    }
    listen_in(p);
    return !p->ended;
}

static bool
ends_within(struct throwaway_process *p, int64_t wait_ms)
{
    int64_t until = clock_mono_ms() + wait_ms;

    while (throwaway_process_runs(p)) {
        if (clock_mono_ms() >= until)
            return false;
        clock_sleep_ms(POLL_MS);
    }
    return true;
}

void
throwaway_process_end(struct throwaway_process *p, int64_t wait_ms)
{
    int status;

    if (p->pid == 0)
        return;
    if (!ends_within(p, wait_ms)) {
        (void)kill(p->pid, SIGTERM);
        (void)ends_within(p, wait_ms);
    }
    (void)kill(-p->pid, SIGKILL);
    (void)kill(p->pid, SIGKILL); /* should it have left the group */
    while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
        ;
    p->pid = 0;
    p->ended = true;
    if (p->log_fd >= 0)
        (void)close(p->log_fd);
    p->log_fd = -1;
}
