/* SPDX-License-Identifier: Apache-2.0 */
/* test_child.c: see test_child.h. */
#include "tests/support/test_child.h"

#include "tests/support/test_common.h"

#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

pid_t
test_child_start(int (*fn)(void *arg), void *arg)
{
    pid_t pid;

    (void)fflush(NULL);
    pid = fork();
    if (pid == 0)
        _exit(fn(arg));
    assert_true(pid > 0);
    return pid;
}

int
test_child_wait(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int
test_child_run(int (*fn)(void *arg), void *arg)
{
    return test_child_wait(test_child_start(fn, arg));
}

bool
test_child_drop_root(void)
{
    if (geteuid() != 0)
        return true;
    return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0;
}

/* From now on CODE (COUNT instructions) decides on this process's system calls. */
static bool
filter_calls(struct sock_filter *code, unsigned short count)
{
    struct sock_fprog program = {.len = count, .filter = code};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

bool
test_child_refuse_renames(int renameat2_errno, int linkat_errno)
{
    const uint32_t flags_at = offsetof(struct seccomp_data, args[4]) + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0);
    const uint32_t rename_ret =
        renameat2_errno != 0 ? SECCOMP_RET_ERRNO | (uint32_t)renameat2_errno : SECCOMP_RET_ALLOW;
    const uint32_t link_ret = linkat_errno != 0 ? SECCOMP_RET_ERRNO | (uint32_t)linkat_errno : SECCOMP_RET_ALLOW;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_linkat, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, link_ret),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, flags_at),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, rename_ret),
    };

    return filter_calls(code, ARRAY_LEN(code));
}

bool
test_child_refuse(long number, int errnum)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)errnum),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };

    return filter_calls(code, ARRAY_LEN(code));
}
