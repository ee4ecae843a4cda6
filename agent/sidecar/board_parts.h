/* SPDX-License-Identifier: Apache-2.0 */
/* board_parts.h: what board_judge.c and board_advice.c share: for these two only. With the board's lock held. */
#ifndef AGENT_SIDECAR_BOARD_PARTS_H
#define AGENT_SIDECAR_BOARD_PARTS_H

#include "agent/sidecar/board.h"
#include "base/compiler.h"

/* A sentence in the making: what has no room is cut off. */
struct sentence {
    char *text;
    size_t size, len;
};

void sentence_say(struct sentence *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The failure that stands: of the first kind whose last job failed. NULL: none. */
const struct job *board_standing_failure(const struct board *b);

/* The newest backup where it is a suspicious one. NULL: it is not. */
const struct catalog_entry *board_suspicious(const struct board *b);

/* Fills in what to do about the verdict's health. */
void board_advise(const struct board *b, struct board_verdict *v);

#endif
