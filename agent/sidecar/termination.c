/* SPDX-License-Identifier: Apache-2.0 */
/* termination.c: see termination.h. */
#include "agent/sidecar/termination.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void
termination_log(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); /* never made: outside of Kubernetes
                                                                                     there is none */

    if (fd < 0)
        return;
    (void)!write(fd, text, strlen(text));
    (void)close(fd);
}
