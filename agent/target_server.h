/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target_server.h: what is known of the server that will read what a restore writes, and from where: the options, then
 * its configuration (--redis-conf), then the server that runs at --redis-url. The first that says something wins. What
 * nobody says stays unknown; what the backed up server used is never taken for it.
 */
#ifndef AGENT_TARGET_SERVER_H
#define AGENT_TARGET_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/config.h"
#include "base/err.h"
#include "snapshot/redis/server_fit.h"
#include "snapshot/target/target_layout.h"

#define TARGET_SERVER_WHY 640 /* room for a reason: a path and some words */

struct target_server {
    enum target_layout layout;          /* TARGET_LAYOUT_UNKNOWN: target_server_need_layout() has the sentence */
    char layout_why[TARGET_SERVER_WHY]; /* "--appendonly yes", "appendonly yes in FILE line 3", ...; "": unknown */

    struct target_names names; /* always whole and good: the defaults where nobody said anything */

    struct server_version version;       /* .kinds 0: not known */
    char version_why[TARGET_SERVER_WHY]; /* "--server-version", "the running server at redis://..."; "": unknown */

    uint64_t databases; /* 0: not known */
    bool is_version_check_relaxed;
    char modules[1024]; /* comma-separated; "": none is known of */
    bool are_modules_complete;

    char silent_why[TARGET_SERVER_WHY]; /* why the running server told nothing, or not all; "": it was not asked, or
                                           told all */

    /* How it came to be; for the functions below. */
    int appendonly;          /* enum config_appendonly; AUTO: not known */
    bool is_appendonly_mute; /* NO only because the configuration does not say: the running server knows better */
    char appendonly_why[TARGET_SERVER_WHY];
    unsigned named; /* a bit for each name that an option or the configuration gave */
};

/*
 * What options and files say; runs --server-binary for its version (unless --server-version was given), and uses no
 * network. Where an option wins over a different word of the configuration, that is logged as a warning.
 *
 * ERR_USAGE: options that contradict each other (--layout rdb and --appendonly yes; --layout aof and a server up to
 * 6.2), a name that is none (a path, "..", one of remora's own) or is used twice, a configuration that cannot be read,
 * a program that tells no version.
 */
int target_server_from_flags(const struct config *config, struct target_server *t, struct err *err) MUST_CHECK;

/*
 * Ask the server at --redis-url for what T, which was filled in by the function above, still lacks; without a
 * --redis-url nothing is asked. That it cannot be reached or denies an answer is no error: it stays unknown, is
 * logged, and T->silent_why says so. ERR_USAGE: a URL that is none, a Sentinel, or an answer that contradicts an option
 * as above. ERR_INTERRUPTED.
 */
int target_server_ask(const struct config *config, struct target_server *t, struct err *err) MUST_CHECK;

/* 0 when the layout is known. Else ERR_USAGE with the sentence that asks for --appendonly; SOURCE_APPENDONLY ("yes",
 * "no", or "" for not known) is what the backed up server had, which the sentence shows. */
int target_server_need_layout(const struct target_server *t, const char *source_appendonly, struct err *err) MUST_CHECK;

/* Would it read DUMP? 0 when nothing is known that stands against it: what could not be judged is logged as warnings.
 * ERR_UNSUPPORTED: see server_fit_check(). */
int target_server_check_dump(const struct target_server *t, const struct rdb_info *dump, struct err *err) MUST_CHECK;

#endif
