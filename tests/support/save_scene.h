/* SPDX-License-Identifier: Apache-2.0 */
/*
 * save_scene.h: a scripted server (fake_redis.h) that does saves as a test wants them: for the source `bgsave`.
 * Everything here fails the test when it does not go as the name says.
 */
#ifndef TESTS_SUPPORT_SAVE_SCENE_H
#define TESTS_SUPPORT_SAVE_SCENE_H

#include <stdbool.h>
#include <stdint.h>

#include "snapshot/redis/source_bgsave.h"

/* used_memory that no volume has room for: 4 EiB. */
#define SCENE_FULL "4611686018427387904"

/* A server as far as a save shows it. The upper half is what a test wants of it, the lower half its state, which only
 * the fake's thread touches until it is stopped. */
struct scene {
    const char *role, *dbfilename;
    const char *used_memory, *used_memory_later; /* later: once a save began */
    const char *extra_info;                      /* more lines */
    const char *info_error, *config_error, *role_error;
    const char *refusals[4];  /* of BGSAVE, before one is accepted */
    const char *busy_line;    /* INFO says so... */
    unsigned busy_for;        /* ...so many times */
    unsigned save_for;        /* so many times INFO says that the save is running */
    unsigned script_busy_for; /* so many times INFO is refused with BUSY during the save */
    unsigned saves_step;      /* what one BGSAVE adds to rdb_saves */
    bool is_old;              /* 6.0: no rdb_saves, no server_time_usec */
    bool save_fails, keeps_old_dump, gives_up, restarts, dies, hangs_up_in_save, hangs_up_on_bgsave;

    char dir[256];
    unsigned infos, bgsaves, schedules;
    unsigned refused, saving_for;
    uint64_t saves;
    int64_t last_save_s;
    bool saving, failed, restarted;
};

/* A master with a folder of its own and an old dump in it, which saves well. */
struct scene scene_new(void);

/* Put a file into the scene's folder, or take it away. */
void scene_put(const struct scene *s, const char *name, const char *text);
void scene_remove(const struct scene *s, const char *name);

/* What a backup of the scene is asked with; the endpoint comes later. */
struct source_bgsave_options scene_options(const struct scene *s);

/* Back up the scene as O says. Afterwards the server and the folder are gone, and the scene's state can be read. */
int scene_back_up(struct scene *s, struct source_bgsave_options *o, struct source **out, struct err *err);

/* The same with scene_options(): it succeeds, with the new dump. The caller frees the source. */
struct source *scene_must_back_up(struct scene *s);

/* It fails with CODE, and the sentence has WORDS in it. */
void scene_must_fail_with(struct scene *s, struct source_bgsave_options *o, enum err_code code, const char *words);
void scene_must_fail(struct scene *s, enum err_code code, const char *words);

#endif
