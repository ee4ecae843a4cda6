/* SPDX-License-Identifier: Apache-2.0 */
/* work.h: the kinds of work that an agent does, and what asks for them. */
#ifndef AGENT_SIDECAR_WORK_H
#define AGENT_SIDECAR_WORK_H

enum work { WORK_BACKUP, WORK_VERIFY, WORK_PRUNE, WORK_KINDS };

/* "backup", "verify", "prune": also the command that does it, and the kind of its slots. */
const char *work_name(enum work kind);

#endif
