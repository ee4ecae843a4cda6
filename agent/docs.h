/* SPDX-License-Identifier: Apache-2.0 */
/* docs.h: the man page and the shell completion, generated from the tables of commands and options. The program itself
 * does not need them: agent/gen_docs.c writes the files that are kept in the source tree (`make docs`). */
#ifndef AGENT_DOCS_H
#define AGENT_DOCS_H

#include "base/buf.h"
#include "base/err.h"

/* remora(1), for man(7). */
int docs_man(struct buf *out, struct err *err) MUST_CHECK;

/* Completion for bash. */
int docs_bash(struct buf *out, struct err *err) MUST_CHECK;

#endif
