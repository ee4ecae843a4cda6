/* SPDX-License-Identifier: Apache-2.0 */
/* probe.c: see probe.h. */
#include "snapshot/repo/probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"

#define WORD_BYTES 8

void
probe_init(struct probe *p, const char *instance)
{
    char word[2 * WORD_BYTES + 1], when[UNITS_TEXT_MAX];
    uint8_t random[WORD_BYTES];

    digest_random(random, sizeof(random));
    units_hex(random, sizeof(random), word);
    layout_probe(&p->key, instance, word);
    p->text = mem_printf("{\"format\":\"remora-probe\",\"time\":\"%s\"}\n", units_format_time(clock_wall_ms(), when));
    p->put = (struct store_put){.key = p->key.text, .data = p->text, .len = strlen(p->text)};
}

void
probe_fini(struct probe *p)
{
    free(p->text);
    p->text = NULL;
}

int
probe_run(const struct repo *repo, const char *instance, struct err *err)
{
    struct err cause = ERR_INIT;
    struct probe p;
    int rc;

    probe_init(&p, instance);
    rc = store_put(repo->store, &p.put, err);
    if (rc < 0 && err->code != ERR_INTERRUPTED)
        (void)err_wrap(err, "the repository cannot be written to, so nothing was asked of the server");
    if (rc == 0 && store_remove(repo->store, p.key.text, &cause) < 0)
        log_info("the object that was put to see whether that is allowed stays in the store", LOG_S("key", p.key.text),
                 LOG_S("error", cause.msg));
    probe_fini(&p);
    return rc;
}
