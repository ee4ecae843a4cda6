/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.c: see child.h. One epoll descriptor watches the two pipes and the process: by a pidfd where the kernel has
 * them (Linux 5.3), else by looking every 100 ms. All that needs memory is made before the fork: after it only
 * async-signal-safe calls are made, since other threads may hold locks.
 *
 * The run is over when the process is: its own children could hold the pipes open for long.
 */
#include "agent/sidecar/child.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/sidecar/child_told.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json_read.h"
#include "base/mem.h"

#define SELF          "/proc/self/exe"
#define TELL_FD       3 /* in the child */
#define FDS_MAX       65536
#define LOOK_EVERY_NS 100000000
#define READS_MAX     1024 /* of 8 kB at a time: somebody else waits for the loop too */
#ifndef SYS_pidfd_open     /* the numbers are the same on all machines but alpha */
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

struct child {
    pid_t pid;
    int epoll_fd, life_fd; /* life: a pidfd or a timer */
    int out_fd, tell_fd;   /* -1 once at its end */
    struct buf out;
    bool too_much, reaped;
    int64_t told_ms;
    struct child_told told;
    struct child_end end;
};

/* What the forked process needs, made before the fork. */
struct launch {
    const char *program;
    const char **argv, **env;
    char *tell_variable;
    int null_fd, out_fd, tell_fd; /* the child's ends */
    pid_t parent;
    unsigned fd_limit;
};

extern char **environ;

/* ---- in the child, after the fork -------------------------------------------------------------------------------- */

static void
close_from(int first, unsigned limit)
{
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0)
        return;
    for (int fd = first; (unsigned)fd < limit; fd++)
        (void)close(fd);
}

_Noreturn static void
become(const struct launch *l)
{
    static const char failed[] =
        "{\"error\":{\"message\":\"the program could not be started again as a child: is /proc "
        "mounted, and the program still there?\"}}\n";
    struct sigaction normal;
    sigset_t none;

    memset(&normal, 0, sizeof(normal));
    normal.sa_handler = SIG_DFL;
    (void)sigemptyset(&none);
    for (int s = 1; s < NSIG; s++)
        (void)sigaction(s, &normal, NULL); /* before they are let in: ours would be taken for the agent's */
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setpgid(0, 0); /* what a terminal sends to all is for the agent, which gives the job its time */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != l->parent) /* it died before that */
        _exit(1);
    if (dup2(l->null_fd, STDIN_FILENO) < 0 || dup2(l->out_fd, STDOUT_FILENO) < 0)
        _exit(1);
    if (l->tell_fd == TELL_FD ? fcntl(TELL_FD, F_SETFD, 0) < 0 : dup2(l->tell_fd, TELL_FD) < 0)
        _exit(1);
    close_from(TELL_FD + 1, l->fd_limit);
    /* Words and environment are not changed by execve(): its prototype is older than const. */
    (void)execve(l->program, (char *const *)(uintptr_t)l->argv, (char *const *)(uintptr_t)l->env);
    (void)!write(TELL_FD, failed, sizeof(failed) - 1);
    _exit(1);
}

/* ---- starting ---------------------------------------------------------------------------------------------------- */

static size_t
count(const char *const *list)
{
    size_t n = 0;

    while (list != NULL && list[n] != NULL)
        n++;
    return n;
}

/* Is "NAME=VALUE" the variable of an entry in LIST? */
static bool
is_in(const char *const *list, const char *variable)
{
    size_t len = strcspn(variable, "=") + 1;

    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
        if (strncmp(list[i], variable, len) == 0)
            return true;
    return false;
}

static void
prepare(struct launch *l, const char *program, const char *const *words, const char *const *env)
{
    size_t n = 0, n_words = count(words), n_env = count(env);
    struct rlimit limit;

    l->program = program;
    l->argv = mem_array(n_words + 3, sizeof(*l->argv));
    l->argv[0] = "remora";
    for (size_t i = 0; i < n_words; i++)
        l->argv[i + 1] = words[i];
    l->argv[n_words + 1] = "--json";
    l->tell_variable = mem_printf("%s=%d", TELL_FD_NAME, TELL_FD);
    l->env = mem_array(n_env + count((const char *const *)environ) + 2, sizeof(*l->env));
    l->env[n++] = l->tell_variable;
    for (size_t i = 0; i < n_env; i++)
        l->env[n++] = env[i];
    for (char **v = environ; *v != NULL; v++)
        if (!is_in(env, *v) && strncmp(*v, TELL_FD_NAME "=", sizeof(TELL_FD_NAME)) != 0)
            l->env[n++] = *v;
    l->parent = getpid();
    l->fd_limit =
        getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < FDS_MAX ? (unsigned)limit.rlim_cur : FDS_MAX;
}

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void
launch_fini(struct launch *l)
{
    close_fd(&l->null_fd);
    close_fd(&l->out_fd);
    close_fd(&l->tell_fd);
    free(l->argv);
    free(l->env);
    free(l->tell_variable);
}

static int
open_pipe(int *ours, int *theirs, struct err *err)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "make a pipe for a child process");
    *ours = fds[0];
    *theirs = fds[1];
    if (fcntl(*ours, F_SETFL, O_NONBLOCK) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "make a pipe for a child process");
    return 0;
}

static int
watch(const struct child *c, int fd, struct err *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    return epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0
               ? 0
               : err_sys(err, ERR_INTERNAL, errno, "watch a child process");
}

static int
open_life(struct child *c, struct err *err)
{
    const struct itimerspec every = {{0, LOOK_EVERY_NS}, {0, LOOK_EVERY_NS}};

    c->life_fd = (int)syscall(SYS_pidfd_open, c->pid, 0U); /* close-on-exec always */
    if (c->life_fd < 0) {
        c->life_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        if (c->life_fd < 0 || timerfd_settime(c->life_fd, 0, &every, NULL) < 0)
            return err_sys(err, ERR_INTERNAL, errno, "watch a child process");
    }
    return watch(c, c->life_fd, err);
}

/* Signals wait until the child has its own dispositions: what our handlers took in it would be lost. */
static int
fork_it(struct child *c, const struct launch *l, struct err *err)
{
    sigset_t all, before;
    int failed;

    (void)signal(SIGCHLD, SIG_DFL); /* whoever started us may have it ignored: then children leave no status */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    c->pid = fork();
    failed = errno;
    if (c->pid == 0)
        become(l);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return c->pid > 0 ? 0 : err_sys(err, ERR_INTERNAL, failed, "start a child process");
}

static int
launch(struct child *c, struct launch *l, struct err *err)
{
    c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (c->epoll_fd < 0)
        return err_sys(err, ERR_INTERNAL, errno, "watch a child process");
    l->null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (l->null_fd < 0)
        return err_sys(err, ERR_INTERNAL, errno, "open /dev/null");
    if (open_pipe(&c->out_fd, &l->out_fd, err) < 0 || open_pipe(&c->tell_fd, &l->tell_fd, err) < 0)
        return -1;
    if (watch(c, c->out_fd, err) < 0 || watch(c, c->tell_fd, err) < 0)
        return -1;
    if (fork_it(c, l, err) < 0)
        return -1;
    c->told_ms = clock_mono_ms();
    return open_life(c, err);
}

int
child_start_program(const char *program, const char *const *words, const char *const *env, struct child **out,
                    struct err *err)
{
    struct child *c = mem_new(sizeof(*c));
    struct launch l = {.null_fd = -1, .out_fd = -1, .tell_fd = -1};
    int rc;

    c->epoll_fd = c->life_fd = c->out_fd = c->tell_fd = -1;
    buf_init(&c->out, CHILD_OUT_MAX);
    prepare(&l, program, words, env);
    rc = launch(c, &l, err);
    launch_fini(&l);
    if (rc < 0) {
        child_free(c);
        return -1;
    }
    *out = c;
    return 0;
}

int
child_start(const char *const *words, const char *const *env, struct child **out, struct err *err)
{
    return child_start_program(SELF, words, env, out, err);
}

/* ---- while it runs ----------------------------------------------------------------------------------------------- */

int
child_fd(const struct child *c)
{
    return c->epoll_fd;
}

static void
take_out(struct child *c, const char *data, size_t len)
{
    struct err unused = ERR_INIT;

    if (!c->too_much && buf_append(&c->out, data, len, &unused) < 0)
        c->too_much = true;
}

static void
take_told(struct child *c, const char *data, size_t len)
{
    child_told_feed(&c->told, data, len);
    c->told_ms = clock_mono_ms();
}

/* Read what there is, though never more than a result can be; closes *FD at its end. */
static void
drain(struct child *c, int *fd, void (*take)(struct child *c, const char *data, size_t len))
{
    char data[8192];

    for (int reads = 0; *fd >= 0 && reads < READS_MAX; reads++) {
        ssize_t n = read(*fd, data, sizeof(data));

        if (n > 0)
            take(c, data, (size_t)n);
        else if (n < 0 && errno == EINTR)
            continue;
        else if (n < 0 && errno == EAGAIN)
            return;
        else
            close_fd(fd); /* which takes it out of the epoll set: nobody else has it */
    }
}

/* The sentence of a failure, from the best source there is. */
static void
find_error(struct child *c, int signum)
{
    struct err unused = ERR_INIT;
    json_t *object = c->end.out_len > 0 ? json_read_object(c->end.out, c->end.out_len, &unused) : NULL;
    const char *said = json_opt_str(json_object_get(object, "error"), "message", "");
    char *text = c->end.error;
    const size_t size = sizeof(c->end.error);

    if (signum == SIGKILL)
        (void)snprintf(text, size,
                       "the run was killed (SIGKILL): for want of memory, if nobody did it by hand; look at "
                       "the memory limit of the container");
    else if (signum != 0)
        (void)snprintf(text, size, "the run was ended by signal %d (%s); its log may tell more", signum,
                       strsignal(signum));
    else if (*c->told.told.error != '\0' || *said != '\0')
        (void)snprintf(text, size, "%s", *c->told.told.error != '\0' ? c->told.told.error : said);
    else
        (void)snprintf(text, size, "the run ended with exit status %d and did not say why; its log may tell more",
                       c->end.exit_status);
    json_decref(object);
}

static void
finish(struct child *c, int status)
{
    int signum = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    drain(c, &c->out_fd, take_out);
    drain(c, &c->tell_fd, take_told);
    c->reaped = true;
    c->end.exit_status = signum != 0 ? 128 + signum : WEXITSTATUS(status);
    c->end.storage = c->told.told.storage;
    if (c->too_much)
        buf_reset(&c->out);
    c->end.out_len = c->out.len;
    c->end.out = buf_steal(&c->out);
    if (c->end.exit_status != 0)
        find_error(c, signum);
}

bool
child_step(struct child *c)
{
    int status = 0;
    uint64_t ticks;

    if (c->reaped)
        return true;
    drain(c, &c->out_fd, take_out);
    drain(c, &c->tell_fd, take_told);
    (void)!read(c->life_fd, &ticks, sizeof(ticks)); /* a timer's; a pidfd has nothing to read */
    if (waitpid(c->pid, &status, WNOHANG) != c->pid)
        return false;
    finish(c, status);
    return true;
}

const struct progress *
child_progress(const struct child *c, int64_t *told_ms)
{
    *told_ms = c->told_ms;
    return &c->told.told.progress;
}

void
child_terminate(struct child *c)
{
    if (!c->reaped)
        (void)kill(c->pid, SIGTERM);
}

void
child_kill(struct child *c)
{
    if (!c->reaped)
        (void)kill(c->pid, SIGKILL);
}

const struct child_end *
child_result(const struct child *c)
{
    REQUIRE(c->reaped);
    return &c->end;
}

void
child_reap_orphans(const struct child *running)
{
    for (;;) {
        siginfo_t ended = {0};

        if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) < 0 || ended.si_pid == 0)
            return;
        if (running != NULL && ended.si_pid == running->pid)
            return; /* child_step() wants its status; what is behind it comes next time */
        (void)waitpid(ended.si_pid, NULL, WNOHANG);
    }
}

void
child_free(struct child *c)
{
    if (c == NULL)
        return;
    if (c->pid > 0 && !c->reaped) {
        (void)kill(c->pid, SIGKILL);
        while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    close_fd(&c->epoll_fd);
    close_fd(&c->life_fd);
    close_fd(&c->out_fd);
    close_fd(&c->tell_fd);
    buf_fini(&c->out);
    free(c->end.out);
    free(c);
}
