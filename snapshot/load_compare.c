/* SPDX-License-Identifier: Apache-2.0 */
/* load_compare.c: see load_compare.h. */
#include "snapshot/load_compare.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot/redis/info.h"

/* What is missing, over all databases. */
struct missing {
    uint64_t keys;    /* all of them */
    uint64_t lasting; /* those without a time to live */
};

/* ---- INFO's databases -------------------------------------------------------------------------------------------- */

/* WORDS and a number stand at *P, which goes behind them. */
static bool
take_number(const char **p, const char *words, uint64_t *n)
{
    const char *digits = *p + strlen(words);
    char *end;

    if (strncmp(*p, words, strlen(words)) != 0 || *digits < '0' || *digits > '9')
        return false;
    *n = strtoull(digits, &end, 10);
    *p = end;
    return true;
}

/* The next line "db0:keys=1,expires=0,..." at or behind P; NULL: none. */
static const char *
next_db(const char *p, struct rdb_db *db)
{
    while (p != NULL && *p != '\0') {
        const char *end = strchr(p, '\n');

        if (take_number(&p, "db", &db->number) && take_number(&p, ":keys=", &db->keys) &&
            take_number(&p, ",expires=", &db->expires))
            return end != NULL ? end + 1 : p + strlen(p);
        p = end != NULL ? end + 1 : NULL;
    }
    return NULL;
}

static int
compare_db(const struct rdb_db *said, const struct rdb_db *has, struct missing *missing, struct err *err)
{
    uint64_t gone, gone_expiring;

    if (has->keys > said->keys || has->expires > said->expires)
        return err_set(err, ERR_CORRUPT,
                       "database %" PRIu64 " holds %" PRIu64 " keys (%" PRIu64
                       " with a time to live) in a server, the manifest says %" PRIu64 " (%" PRIu64 ")",
                       said->number, has->keys, has->expires, said->keys, said->expires);
    gone = said->keys - has->keys;
    gone_expiring = said->expires - has->expires;
    if (gone < gone_expiring)
        return err_set(err, ERR_CORRUPT,
                       "database %" PRIu64 " holds %" PRIu64 " keys without a time to live in a server, the manifest "
                       "says %" PRIu64,
                       said->number, has->keys - has->expires, said->keys - said->expires);
    missing->keys += gone;
    missing->lasting += gone - gone_expiring;
    return 0;
}

/* Both lists ascend by number: a server tells its databases in order, and only those with keys. */
static int
compare_dbs(const struct rdb_info *said, const char *info, struct missing *missing, struct err *err)
{
    struct rdb_db has;
    const char *rest = next_db(info, &has);

    for (size_t i = 0; i < said->db_count; i++) {
        struct rdb_db none = {.number = said->dbs[i].number};
        bool found = rest != NULL && has.number == said->dbs[i].number;

        if (rest != NULL && has.number < said->dbs[i].number)
            break;
        if (compare_db(&said->dbs[i], found ? &has : &none, missing, err) < 0)
            return -1;
        if (found)
            rest = next_db(rest, &has);
    }
    if (rest != NULL)
        return err_set(err, ERR_CORRUPT,
                       "a server finds %" PRIu64 " keys in database %" PRIu64 ", where the manifest has "
                       "none",
                       has.keys, has.number);
    return 0;
}

/* ---- what may be missing ----------------------------------------------------------------------------------------- */

static uint64_t
number(const char *info, const char *field)
{
    uint64_t value = 0;

    (void)info_u64(info, field, &value);
    return value;
}

static int
judge_missing(const struct rdb_info *said, const struct load_seen *seen, const struct missing *missing, struct err *err)
{
    uint64_t fields = number(seen->info, "expired_subkeys") + number(seen->info, "expired_fields");
    uint64_t hashes = fields < said->types[RDB_HASH] ? fields : said->types[RDB_HASH];
    uint64_t loaded = 0, expired = number(seen->info, "rdb_last_load_keys_expired");
    uint64_t counted = expired + number(seen->info, "expired_keys");

    if (missing->lasting > seen->skipped + hashes)
        return err_set(err, ERR_CORRUPT,
                       "%" PRIu64 " keys without a time to live are missing in a server that has loaded the dump",
                       missing->lasting);
    if (!info_u64(seen->info, "rdb_last_load_keys_loaded", &loaded))
        return 0; /* before 7.0 a server does not count them */
    if (loaded + expired + seen->skipped != said->keys)
        return err_set(err, ERR_CORRUPT,
                       "a server loaded %" PRIu64 " keys and dropped %" PRIu64
                       " that had expired, the manifest says %" PRIu64,
                       loaded, expired, said->keys);
    if (missing->keys < counted || missing->keys > counted + seen->skipped + hashes)
        return err_set(err, ERR_CORRUPT,
                       "%" PRIu64 " keys are missing in a server that has loaded the dump, but only %" PRIu64
                       " have expired",
                       missing->keys, counted);
    return 0;
}

int
load_compare(const struct rdb_info *said, const struct load_seen *seen, uint64_t *expired, struct err *err)
{
    struct missing missing = {0};

    *expired = 0;
    if (!said->parsed)
        return 0; /* the manifest's counts are partial: that a server loads it is all that can be asked for */
    if (compare_dbs(said, seen->info, &missing, err) < 0 || judge_missing(said, seen, &missing, err) < 0)
        return -1;
    if (seen->functions != said->functions)
        return err_set(err, ERR_CORRUPT, "a server finds %" PRIu64 " function libraries, the manifest says %" PRIu64,
                       seen->functions, said->functions);
    *expired = missing.keys - (seen->skipped < missing.keys ? seen->skipped : missing.keys);
    return 0;
}

uint64_t
load_skipped_keys(const char *log)
{
    static const char words[] = "empty keys skipped"; /* 7.0: "...: 3."; later: "'empty keys skipped': 3." */
    const char *found = strstr(log, words);

    if (found == NULL)
        return 0;
    found += sizeof(words) - 1;
    found += strspn(found, "': ");
    return strtoull(found, NULL, 10);
}
