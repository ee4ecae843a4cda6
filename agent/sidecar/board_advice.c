/* SPDX-License-Identifier: Apache-2.0 */
/*
 * board_advice.c: what a person has to do now, for each state of board_judge.c. An error names its own remedy already;
 * what stands here is what comes after it, and how the data comes back if it is lost.
 */
#include <string.h>

#include "agent/sidecar/board_parts.h"

static void
advise_on_failure(const struct board *b, struct sentence *s)
{
    const struct job *failed = board_standing_failure(b);

    if (failed->kind == WORK_PRUNE)
        sentence_say(s, "Do what the error asks for. No backup is lost: the old ones stay until a prune succeeds.");
    else if (failed->kind == WORK_VERIFY)
        sentence_say(s, "Do what the error asks for, then take a new backup with `remora %s` and verify that one.",
                     b->can_trigger ? "trigger" : "backup");
    else if (b->kinds[WORK_BACKUP].schedule[0] != '\0')
        sentence_say(s, "Do what the error asks for. It is tried again by itself; `remora %s` tries it at once.",
                     b->can_trigger ? "trigger" : "backup");
    else
        sentence_say(s, "Do what the error asks for, then try again with `remora %s`.",
                     b->can_trigger ? "trigger" : "backup");
}

static void
advise_on_suspicious(const struct board *b, struct sentence *s)
{
    const struct catalog_entry *odd = board_suspicious(b), *latest = board_latest(b);

    sentence_say(s, "Look at it: `remora show %s`. Is it meant to be that small? `remora accept %s`. ", odd->id.text,
                 odd->id.text);
    if (latest != NULL)
        sentence_say(s, "If not, the server lost keys: `remora restore --backup %s` has those of before.",
                     latest->id.text);
    else
        sentence_say(s, "If not, the server lost keys: repair it, and the next backup is a good one.");
}

void
board_advise(const struct board *b, struct board_verdict *v)
{
    struct sentence s = {.text = v->advice, .size = sizeof(v->advice)};
    const char *now = b->can_trigger ? "trigger" : "backup";

    switch (v->health) {
    case HEALTH_GOOD:
    case HEALTH_STARTING:
        break;
    case HEALTH_LATE:
        sentence_say(&s, "Take one now with `remora %s`. Why none came stands in the last errors and jobs below.", now);
        break;
    case HEALTH_SUSPICIOUS:
        advise_on_suspicious(b, &s);
        break;
    case HEALTH_FAILING:
        advise_on_failure(b, &s);
        break;
    case HEALTH_SERVER_DOWN:
        sentence_say(&s, b->server == REACH_DENIED
                             ? "Correct the user, the password or its rights. "
                             : "Start the server. Its data is lost? `remora restore` brings back the last good "
                               "backup. ");
        sentence_say(&s, "Backups go on by themselves when it answers.");
        break;
    case HEALTH_STORE_DOWN:
        sentence_say(&s, b->store == REACH_DENIED ? "Correct the credentials or their rights. "
                                                  : "Bring the store back, or correct its address. ");
        sentence_say(&s, "The server is not touched; until then no backup is taken, and none can be restored.");
        break;
    case HEALTH_NEVER:
        sentence_say(&s, "%s`remora %s` takes %s.", b->kinds[WORK_BACKUP].next_ms != 0 ? "Wait for it, or " : "", now,
                     b->kinds[WORK_BACKUP].next_ms != 0 ? "it now" : "the first one");
        break;
    }
}
