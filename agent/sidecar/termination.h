/* SPDX-License-Identifier: Apache-2.0 */
/* termination.h: the last words of a container, which Kubernetes shows in its status. */
#ifndef AGENT_SIDECAR_TERMINATION_H
#define AGENT_SIDECAR_TERMINATION_H

#define TERMINATION_LOG "/dev/termination-log"

/* Write TEXT into the file PATH, where there is one and it may be written; else nothing. */
void termination_log(const char *path, const char *text);

#endif
