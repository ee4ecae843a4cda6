/* SPDX-License-Identifier: Apache-2.0 */
/* test_child.h: what a test does in a process of its own: being killed, being another user, a kernel that refuses. */
#ifndef TESTS_SUPPORT_TEST_CHILD_H
#define TESTS_SUPPORT_TEST_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* Fork a child that runs FN and ends with what it returned. Returns its pid. */
pid_t test_child_start(int (*fn)(void *arg), void *arg);

/* Wait for it: its exit status, or 128 + the signal that ended it. */
int test_child_wait(pid_t pid);

/* Both: run FN in a child and return how it ended. cmocka's asserts must not be used in it: return a number, such as
 * the line (CHILD_CHECK does), and print to stderr. */
int test_child_run(int (*fn)(void *arg), void *arg);

/* In a child: leave with a status when COND does not hold. */
#define CHILD_CHECK(cond)                                                                                              \
    do {                                                                                                               \
        if (!(cond)) {                                                                                                 \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                                           \
            return 1;                                                                                                  \
        }                                                                                                              \
    } while (0)

/* In a child: stop being root, so that permissions count. Does nothing for other users. False when that failed. */
bool test_child_drop_root(void);

/* In a child: from now on renameat2() with flags and linkat() fail with these errors, as on file systems that lack them
 * (0: they work). False when the kernel has no seccomp. */
bool test_child_refuse_renames(int renameat2_errno, int linkat_errno);

/* In a child: from now on the system call NUMBER (SYS_...) fails with ERRNUM, as a broken disk lets it. False when the
 * kernel has no seccomp. */
bool test_child_refuse(long number, int errnum);

#endif
