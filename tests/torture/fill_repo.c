/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fill_repo.c --repo URL --instance NAME --count N [--every SECONDS] [--verified K] [--s3-endpoint URL]: makes N small
 * backups, the newest of which is SECONDS (3600) old, each SECONDS older than the next; every Kth has a verified fact
 * (0: none). They are real: one segment with a dump of one key, index and manifest, so that verify and restore are
 * content; but they are put without the care of a publication, three requests each, by several threads. Makes the
 * repository and the instance where they are missing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/open_store.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/units.h"
#include "snapshot/rdb/crc64.h"
#include "snapshot/rdb/rdb_scan.h"
#include "snapshot/repo/index.h"
#include "snapshot/repo/segment.h"
#include "snapshot/verify.h"

#define WORKERS      16u
#define TOOL_VERSION "0.0.fill"

struct fill {
    struct config config;
    uint64_t count, every_s, verified;
    struct store *store;
    struct repo repo;

    /* What all backups share. */
    uint8_t dump[256], frame[512];
    size_t dump_len, frame_len;
    char *index;
    size_t index_len;
    struct rdb_scan *scan;
    struct manifest_member member;
};

/* ---- the dump, and what is the same in every backup -------------------------------------------------------------- */

static void
make_dump(struct fill *f)
{
    static const char body[] = "REDIS0011"
                               "\xfa\x09redis-ver\x06"
                               "7.0.15"
                               "\xfe" /* database 0 */
                               "\0\0\x03key\x05value\xff";
    uint64_t crc;

    f->dump_len = sizeof(body) - 1;
    memcpy(f->dump, body, f->dump_len);
    crc = crc64(0, f->dump, f->dump_len);
    for (int i = 0; i < 8; i++)
        f->dump[f->dump_len++] = (uint8_t)(crc >> (8 * i));
}

static int
make_frame(struct fill *f, struct err *err)
{
    struct segment_encoder *e = segment_encoder_new(SEGMENT_LEVEL_DEFAULT, err);
    int rc = -1;

    if (e != NULL)
        rc = segment_encode(e, f->dump, f->dump_len, f->frame, sizeof(f->frame), &f->frame_len, err);
    segment_encoder_free(e);
    return rc;
}

static int
make_index(struct fill *f, struct err *err)
{
    struct index_segment segment = {.raw_size = f->dump_len, .stored_size = f->frame_len};
    struct index x;
    int rc;

    digest_sha256(f->frame, f->frame_len, segment.sha256);
    index_init(&x);
    rc = index_set(&x, 0, &segment, err);
    if (rc == 0)
        f->index = index_write(&x, &f->index_len);
    index_fini(&x);
    return rc;
}

static int
prepare(struct fill *f, struct err *err)
{
    make_dump(f);
    f->scan = rdb_scan_new(NULL);
    if (rdb_scan_feed(f->scan, f->dump, f->dump_len, err) < 0 || rdb_scan_finish(f->scan, err) < 0 ||
        make_frame(f, err) < 0 || make_index(f, err) < 0)
        return -1;
    (void)snprintf(f->member.name, sizeof(f->member.name), "%s", LAYOUT_MEMBER_RDB);
    f->member.raw_size = f->dump_len;
    f->member.stored_size = f->frame_len;
    f->member.segments = 1;
    f->member.index_size = f->index_len;
    digest_sha256(f->index, f->index_len, f->member.index_sha256);
    return 0;
}

/* ---- a backup ---------------------------------------------------------------------------------------------------- */

static struct manifest *
make_manifest(const struct fill *f, int64_t taken_ms)
{
    struct manifest *m = manifest_new();

    backup_id_make(taken_ms, &m->id);
    digest_uuid(m->uuid);
    (void)snprintf(m->instance, sizeof(m->instance), "%s", f->config.instance);
    (void)snprintf(m->method, sizeof(m->method), "file");
    (void)snprintf(m->tool_version, sizeof(m->tool_version), TOOL_VERSION);
    m->snapshot_ms = m->started_ms = m->finished_ms = taken_ms;
    m->level = SEGMENT_LEVEL_DEFAULT;
    m->rdb_member = f->member;
    rdb_info_copy(&m->rdb, rdb_scan_info(f->scan));
    return m;
}

static int
put(struct fill *f, const struct layout_key *key, const void *data, size_t len, struct err *err)
{
    return store_put(f->store, &(struct store_put){.key = key->text, .data = data, .len = len}, err);
}

static int
put_backup(struct fill *f, const struct manifest *m, struct err *err)
{
    const char *instance = f->config.instance;
    struct layout_key key;
    size_t len = 0;
    char *text = manifest_write(m, &len);
    int rc = -1;

    layout_segment(&key, instance, &m->id, LAYOUT_MEMBER_RDB, 0);
    if (put(f, &key, f->frame, f->frame_len, err) < 0)
        goto out;
    layout_index(&key, instance, &m->id, LAYOUT_MEMBER_RDB);
    if (put(f, &key, f->index, f->index_len, err) < 0)
        goto out;
    layout_manifest(&key, instance, &m->id);
    rc = put(f, &key, text, len, err);
out:
    free(text);
    return rc;
}

static int
make_backup(void *item, unsigned worker, void *cookie, struct err *err)
{
    static const struct verify_fact good = {.level = VERIFY_DIGESTS, .tool_version = TOOL_VERSION};
    const uint64_t number = *(const uint64_t *)item; /* from 1, the newest */
    struct fill *f = cookie;
    struct manifest *m = make_manifest(f, repo_now_ms(&f->repo) - (int64_t)(number * f->every_s) * 1000);
    int rc = put_backup(f, m, err);

    (void)worker;
    if (rc == 0 && f->verified > 0 && number % f->verified == 0)
        rc = verify_record(&f->repo, m, &good, err);
    manifest_free(m);
    return rc;
}

static void
drop(void *item, void *cookie)
{
    (void)cookie;
    free(item);
}

static int
fill(struct fill *f, struct err *err)
{
    static const struct pool_ops ops = {.work = make_backup, .done = drop};
    struct pool *pool = pool_start(WORKERS, &ops, f, err);

    if (pool == NULL)
        return -1;
    for (uint64_t i = 1; i <= f->count; i++) {
        uint64_t *number = mem_new(sizeof(*number));

        *number = i;
        if (!pool_submit(pool, number)) {
            free(number);
            break;
        }
    }
    return pool_finish(pool, err);
}

/* ---- the command line -------------------------------------------------------------------------------------------- */

static int
parse(struct fill *f, int argc, char **argv, struct err *err)
{
    const struct {
        const char *name;
        const char **text;
        uint64_t *number;
    } options[] = {
        {"--repo", &f->config.repo, NULL},
        {"--instance", &f->config.instance, NULL},
        {"--s3-endpoint", &f->config.s3_endpoint, NULL},
        {"--count", NULL, &f->count},
        {"--every", NULL, &f->every_s},
        {"--verified", NULL, &f->verified},
    };

    for (int i = 1; i < argc; i += 2) {
        size_t o = 0;

        while (o < ARRAY_LEN(options) && strcmp(argv[i], options[o].name) != 0)
            o++;
        if (o == ARRAY_LEN(options) || i + 1 == argc)
            return err_set(err, ERR_USAGE, "%s: no such option, or nothing behind it", argv[i]);
        if (options[o].text != NULL)
            *options[o].text = argv[i + 1];
        else if (units_parse_u64(argv[i + 1], options[o].number, err) < 0)
            return err_wrap(err, "%s", argv[i]);
    }
    if (f->config.repo == NULL || f->config.instance == NULL || f->count == 0 || f->count > 1000000 ||
        f->every_s == 0 || f->every_s > 366 * 86400)
        return err_set(err, ERR_USAGE, "--repo, --instance and --count (1 to 1000000) are needed");
    return layout_check_instance(f->config.instance, err);
}

int
main(int argc, char **argv)
{
    struct fill f = {.every_s = 3600};
    struct err err = ERR_INIT;
    struct repo_made made;
    int64_t started_ms = clock_mono_ms();
    int rc = -1;

    if (parse(&f, argc, argv, &err) < 0 || prepare(&f, &err) < 0)
        goto out;
    f.store = open_store(&f.config, OPEN_STORE_MAKE, &err);
    if (f.store == NULL || repo_init(f.store, f.config.instance, &made, &err) < 0 ||
        repo_open(f.store, &f.repo, &err) < 0 || fill(&f, &err) < 0)
        goto out;
    printf("%llu backups in %.1f s\n", (unsigned long long)f.count, (double)(clock_mono_ms() - started_ms) / 1e3);
    rc = 0;
out:
    store_free(f.store);
    rdb_scan_free(f.scan);
    free(f.index);
    if (rc < 0)
        fprintf(stderr, "fill_repo: %s\n", err.msg);
    return rc < 0 ? 1 : 0;
}
