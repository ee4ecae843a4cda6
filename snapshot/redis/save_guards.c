/* SPDX-License-Identifier: Apache-2.0 */
/* save_guards.c: see save_guards.h. */
#include "snapshot/redis/save_guards.h"

#include <stdio.h>

#include "base/log.h"

#define TEXT_MAX sizeof(((struct manifest_finding *)NULL)->text)

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static int
refuse_shortage(const char *text, const char *server, struct err *err)
{
    return err_set(err, ERR_NO_SPACE,
                   "%s: %s: it was not asked to save, since the kernel might kill it for want of memory: give it more, "
                   "lower its maxmemory, or back up a replica (--memory-guard warn goes on all the same)",
                   server, text);
}

static void
tell_memory(const struct guard_memory_options *o, enum guard_memory_state state, const char *text, const char *server)
{
    switch (state) {
    case GUARD_MEMORY_SHORT:
        log_warn("the server's memory may not hold the copies that a save makes", LOG_S("server", server),
                 LOG_S("finding", text));
        break;
    case GUARD_MEMORY_TIGHT:
        log_info("the server has memory for what a save is expected to copy, but not for a copy of everything",
                 LOG_S("server", server), LOG_S("finding", text));
        break;
    case GUARD_MEMORY_UNKNOWN:
        log_event(o->policy == GUARD_REFUSE ? LOG_WARN : LOG_INFO,
                  "the memory guard cannot judge: the server does not tell its memory (INFO), or no limit is known",
                  LOG_FIELDS(LOG_S("server", server)));
        break;
    case GUARD_MEMORY_FITS:
    case GUARD_MEMORY_UNASKED:
        break;
    }
}

int
save_guard_memory(const struct guard_memory_options *o, const struct server_memory *told, bool full_sync,
                  const char *server, struct guard_findings *findings, struct err *err)
{
    struct guard_limit limit;
    struct guard_memory g;
    char text[TEXT_MAX];

    if (o->policy == GUARD_OFF)
        return 0;
    limit = guard_memory_limit(o, told);
    g = guard_memory_judge(told, full_sync, &limit);
    (void)guard_memory_text(told, &g, text, sizeof(text));
    if (g.state == GUARD_MEMORY_SHORT && o->policy == GUARD_REFUSE)
        return refuse_shortage(text, server, err);
    if (g.state != findings->memory)
        tell_memory(o, g.state, text, server);
    findings->memory = g.state;
    if (g.state == GUARD_MEMORY_SHORT)
        guard_note(findings, "memory", text);
    else
        guard_forget(findings, "memory");
    return 0;
}

/* ---- space ------------------------------------------------------------------------------------------------------- */

int
save_guard_space(enum guard_policy policy, const char *path, const struct dump_stamp *last, uint64_t used_memory,
                 struct guard_findings *findings, struct err *err)
{
    struct dump_room room = {0};
    char figures[TEXT_MAX - 32], text[TEXT_MAX];

    if (policy == GUARD_OFF)
        return 0;
    if (policy == GUARD_REFUSE)
        return dump_check_space(path, last, used_memory, err);
    if (dump_measure_room(path, last, used_memory, &room, err) < 0)
        return -1;
    if (room.free >= room.needed) {
        guard_forget(findings, "space");
        return 0;
    }
    (void)snprintf(text, sizeof(text), "the server's volume has %s",
                   dump_room_text(&room, last, figures, sizeof(figures)));
    if (!guard_has_noted(findings, "space"))
        log_warn("the volume may have no room for the save; if it fails, the server may refuse writes",
                 LOG_S("dump", path), LOG_S("finding", text));
    guard_note(findings, "space", text);
    return 0;
}
