/* SPDX-License-Identifier: Apache-2.0 */
/* server_fit.c: see server_fit.h. */
#include "snapshot/redis/server_fit.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- what is known of versions ----------------------------------------------------------------------------------- */

/* The first version that writes, and reads, an RDB version. Release candidates count as 6.9, 7.1 and 7.3. */
struct release {
    unsigned major, minor, rdb;
};
static const struct release redis_releases[] = {
    {0, 0, 5},  {2, 6, 6},  {3, 2, 7},  {4, 0, 8},  {5, 0, 9},   {6, 9, 10},
    {7, 1, 11}, {7, 3, 12}, {8, 6, 13}, {8, 8, 14}, {8, 10, 15},
};
static const struct release valkey_releases[] = {{7, 2, 11}, {9, 0, 80}};
/* What comes after these may read more. */
static const struct release newest_redis = {8, 10, 15}, newest_valkey = {9, 1, 80};

/* Valkey takes these numbers for Redis's own, that part of which it does not know (Valkey 8.1 and 9.0). */
#define VALKEY_FOREIGN_FIRST 12
#define VALKEY_FOREIGN_LAST  79

static bool
is_before(const struct server_version *v, const struct release *r)
{
    return v->major != r->major ? v->major < r->major : v->minor < r->minor;
}

static bool
is_after(const struct server_version *v, const struct release *r)
{
    return v->major != r->major ? v->major > r->major : v->minor > r->minor;
}

/* The greatest RDB version that V reads. RELEASES begin with one that is not after V. */
static unsigned
greatest_rdb(const struct server_version *v, const struct release *releases, size_t count)
{
    size_t i = 1;

    while (i < count && !is_before(v, &releases[i]))
        i++;
    return releases[i - 1].rdb;
}

static enum server_fit
fit_up_to(unsigned rdb_version, unsigned greatest, bool is_newer_than_known)
{
    return rdb_version <= greatest ? SERVER_FITS : is_newer_than_known ? SERVER_FIT_UNKNOWN : SERVER_FITS_NOT;
}

static enum server_fit
redis_reads(const struct server_version *v, enum rdb_kind kind, unsigned rdb_version)
{
    if (kind == RDB_VALKEY)
        return SERVER_FITS_NOT;
    return fit_up_to(rdb_version, greatest_rdb(v, redis_releases, ARRAY_LEN(redis_releases)),
                     is_after(v, &newest_redis));
}

static enum server_fit
valkey_reads(const struct server_version *v, enum rdb_kind kind, unsigned rdb_version)
{
    unsigned greatest = greatest_rdb(v, valkey_releases, ARRAY_LEN(valkey_releases));

    if (kind == RDB_VALKEY && greatest < VALKEY_FOREIGN_LAST)
        return SERVER_FITS_NOT; /* they know one magic only */
    if (kind == RDB_REDIS && rdb_version >= VALKEY_FOREIGN_FIRST)
        return SERVER_FITS_NOT;
    return fit_up_to(rdb_version, greatest, is_after(v, &newest_valkey));
}

enum server_fit
server_version_reads(const struct server_version *v, enum rdb_kind kind, unsigned rdb_version)
{
    enum server_fit redis = redis_reads(v, kind, rdb_version), valkey = valkey_reads(v, kind, rdb_version);

    switch (v->kinds) {
    case SERVER_REDIS:
        return redis;
    case SERVER_VALKEY:
        return valkey;
    case SERVER_REDIS | SERVER_VALKEY:
        return redis == valkey ? redis : SERVER_FIT_UNKNOWN;
    default:
        return SERVER_FIT_UNKNOWN;
    }
}

bool
server_version_has_aof_folder(const struct server_version *v)
{
    static const struct release first = {6, 9, 0}; /* 7.0's release candidates */

    REQUIRE(v->kinds != 0);
    return (v->kinds & SERVER_VALKEY) != 0 || !is_before(v, &first);
}

/* ---- versions as text -------------------------------------------------------------------------------------------- */

/* Skip WORD, in any case. */
static bool
skip_word(const char **p, const char *word)
{
    size_t len = strlen(word);

    if (strncasecmp(*p, word, len) != 0)
        return false;
    *p += len;
    return true;
}

/* A number of at most 9 digits. */
static bool
skip_number(const char **p, unsigned *out)
{
    size_t len = strspn(*p, "0123456789");

    if (len == 0 || len > 9)
        return false;
    *out = 0;
    for (const char *end = *p + len; *p < end; ++*p)
        *out = 10 * *out + (unsigned)(**p - '0');
    return true;
}

/* The numbers, and behind them nothing but what a tag or a program adds. */
static bool
skip_numbers(const char **p, struct server_version *v)
{
    if (!skip_number(p, &v->major) || !skip_word(p, ".") || !skip_number(p, &v->minor))
        return false;
    if (skip_word(p, ".") && !skip_number(p, &v->patch))
        return false;
    return **p == '\0' || strchr("-+ \t\r\n", **p) != NULL;
}

int
server_version_parse(const char *text, struct server_version *out, struct err *err)
{
    static const struct release first_valkey = {7, 2, 0};
    struct server_version v = {0};
    const char *p = text + strspn(text, " \t\r\n");
    size_t line = strcspn(text, "\r\n");

    v.kinds = skip_word(&p, "valkey") ? SERVER_VALKEY : skip_word(&p, "redis") ? SERVER_REDIS : 0;
    if (v.kinds != 0) {
        (void)skip_word(&p, " server");
        p += strspn(p, "-_: ");
    }
    if (skip_word(&p, "v"))
        (void)skip_word(&p, "=");
    if (!skip_numbers(&p, &v) || (v.kinds == SERVER_VALKEY && is_before(&v, &first_valkey)))
        return err_set(err, ERR_USAGE,
                       "\"%.*s\" is no version of Redis or Valkey: it looks like 7.2.4, redis-8.0 or valkey-8.1.1",
                       (int)(line < 80 ? line : 80), text);
    if (v.kinds == 0)
        v.kinds = is_before(&v, &first_valkey) ? SERVER_REDIS : SERVER_REDIS | SERVER_VALKEY;
    *out = v;
    return 0;
}

void
server_version_from_facts(const struct server_facts *facts, struct server_version *out)
{
    struct err ignored = ERR_INIT;

    memset(out, 0, sizeof(*out));
    if (server_version_parse(facts->version, out, &ignored) < 0)
        return;
    out->kinds = strcmp(facts->kind, "valkey") == 0  ? SERVER_VALKEY
                 : strcmp(facts->kind, "redis") == 0 ? SERVER_REDIS
                                                     : out->kinds;
}

const char *
server_version_describe(const struct server_version *v, char out[SERVER_VERSION_TEXT])
{
    static const char *const names[] = {NULL, "Redis", "Valkey", "Redis or Valkey"};

    if (v->kinds == 0)
        (void)snprintf(out, SERVER_VERSION_TEXT, "a server of unknown version");
    else
        (void)snprintf(out, SERVER_VERSION_TEXT, "%s %u.%u.%u", names[v->kinds], v->major, v->minor, v->patch);
    return out;
}

/* ---- doubts ------------------------------------------------------------------------------------------------------ */

static void doubt(struct server_doubts *d, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void
doubt(struct server_doubts *d, const char *fmt, ...)
{
    va_list args;

    if (d->count == SERVER_DOUBTS_MAX)
        return;
    va_start(args, fmt);
    (void)vsnprintf(d->items[d->count++], sizeof(d->items[0]), fmt, args);
    va_end(args);
}

/* ---- version ----------------------------------------------------------------------------------------------------- */

/* Who reads such a dump. */
static const char *
readers(enum rdb_kind kind, unsigned rdb_version)
{
    static const char *const of_redis[] = {
        [6] = "Redis 2.6 or later, or any Valkey",  [7] = "Redis 3.2 or later, or any Valkey",
        [8] = "Redis 4.0 or later, or any Valkey",  [9] = "Redis 5.0 or later, or any Valkey",
        [10] = "Redis 7.0 or later, or any Valkey", [11] = "Redis 7.2 or later, or any Valkey",
        [12] = "Redis 7.4 or later, but no Valkey", [13] = "Redis 8.6 or later, but no Valkey",
        [14] = "Redis 8.8 or later, but no Valkey", [15] = "Redis 8.10 or later, but no Valkey",
    };

    if (kind == RDB_VALKEY)
        return rdb_version <= newest_valkey.rdb ? "Valkey 9.0 or later, but no Redis" : "a Valkey newer than 9.1";
    if (rdb_version >= ARRAY_LEN(of_redis))
        return "a Redis newer than 8.10";
    return of_redis[rdb_version] != NULL ? of_redis[rdb_version] : "any Redis or Valkey";
}

static int
check_version(const struct rdb_info *dump, const struct server_reader *server, struct server_doubts *doubts,
              struct err *err)
{
    const char *writer = dump->kind == RDB_VALKEY ? "Valkey" : "Redis";
    bool is_valkey = server->version.kinds == SERVER_VALKEY;
    enum server_fit fit = server_version_reads(&server->version, dump->kind, dump->version);
    char name[SERVER_VERSION_TEXT];

    (void)server_version_describe(&server->version, name);
    if (fit == SERVER_FITS_NOT && is_valkey && server->is_version_check_relaxed)
        fit = SERVER_FIT_UNKNOWN;
    if (fit == SERVER_FIT_UNKNOWN)
        doubt(doubts, "whether %s reads this dump, RDB version %u of %s, is not known: those that do are %s", name,
              dump->version, writer, readers(dump->kind, dump->version));
    if (fit != SERVER_FITS_NOT)
        return 0;
    return err_set(err, ERR_UNSUPPORTED,
                   "the server that is to read the data is %s, which refuses this dump, RDB version %u of %s: restore "
                   "for %s; if the server is another than that, say so with --server-version",
                   name, dump->version, writer, readers(dump->kind, dump->version));
}

/* ---- databases --------------------------------------------------------------------------------------------------- */

static int
check_databases(const struct rdb_info *dump, const struct server_reader *server, struct server_doubts *doubts,
                struct err *err)
{
    uint64_t greatest = dump->db_count > 0 ? dump->dbs[dump->db_count - 1].number : 0;

    if (greatest == 0)
        return 0;
    if (server->databases == 0) {
        doubt(doubts,
              "the dump has keys in database %ju, and how many the server has is not known (16 when nothing is "
              "set, 1 on a cluster node)",
              (uintmax_t)greatest);
        return 0;
    }
    if (greatest < server->databases)
        return 0;
    return err_set(
        err, ERR_UNSUPPORTED,
        "the dump has keys in database %ju, and the server that is to read it has only %ju (0 to %ju), so it "
        "would not start: set `databases %ju` in its configuration%s",
        (uintmax_t)greatest, (uintmax_t)server->databases, (uintmax_t)server->databases - 1, (uintmax_t)greatest + 1,
        server->databases == 1 ? "; a cluster node has one (Valkey 9.0 and later: `cluster-databases`)" : "");
}

/* ---- modules ----------------------------------------------------------------------------------------------------- */

/* Types of well-known modules: the name in dumps, and those of the module, loaded or as a file. */
static const struct {
    const char *type;
    const char *modules[6];
} known_types[] = {
    {"ReJSON-RL", {"ReJSON", "rejson", "json", "libjson"}},
    {"ft_index0", {"search", "redisearch", "ft"}},
    {"ft_invidx", {"search", "redisearch", "ft"}},
    {"numericdx", {"search", "redisearch", "ft"}},
    {"scdtype00", {"search", "redisearch", "ft"}},
    {"trietype0", {"search", "redisearch", "ft"}},
    {"TSDB-TYPE", {"timeseries", "redistimeseries"}},
    {"MBbloom--", {"bf", "redisbloom"}},
    {"MBbloomCF", {"bf", "redisbloom"}},
    {"CMSk-TYPE", {"bf", "redisbloom"}},
    {"TopK-TYPE", {"bf", "redisbloom"}},
    {"TDIS-TYPE", {"bf", "redisbloom"}},
    {"bloomfltr", {"bf", "libvalkey_bloom", "valkey_bloom"}},
    {"vectorset", {"vectorset", "vset"}},
};

/* Is NAME one of the comma-separated LIST? */
static bool
is_listed(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *p = list; *p != '\0'; p += strcspn(p, ","), p += *p == ',') {
        if (strcspn(p, ",") == len && strncasecmp(p, name, len) == 0)
            return true;
    }
    return false;
}

/* Is the module of TYPE a part of the server itself? */
static bool
is_built_in(const struct server_version *v, const char *type)
{
    static const struct release first = {7, 9, 0}; /* 8.0's release candidates */

    return strcmp(type, "vectorset") == 0 && v->kinds == SERVER_REDIS && !is_before(v, &first);
}

/* Can the server load the module that has TYPE? */
static enum server_fit
has_type(const struct server_reader *server, const char *type)
{
    const char *modules = server->modules != NULL ? server->modules : "";
    size_t i = 0;

    if (is_built_in(&server->version, type))
        return SERVER_FITS;
    if (modules[0] == '\0')
        return server->are_modules_complete ? SERVER_FITS_NOT : SERVER_FIT_UNKNOWN;
    while (i < ARRAY_LEN(known_types) && strcmp(known_types[i].type, type) != 0)
        i++;
    if (i == ARRAY_LEN(known_types))
        return SERVER_FIT_UNKNOWN;
    for (const char *const *name = known_types[i].modules; *name != NULL; name++) {
        if (is_listed(modules, *name))
            return SERVER_FITS;
    }
    return server->are_modules_complete ? SERVER_FITS_NOT : SERVER_FIT_UNKNOWN;
}

static int
check_modules(const struct rdb_info *dump, const struct server_reader *server, struct server_doubts *doubts,
              struct err *err)
{
    for (size_t i = 0; i < dump->module_count; i++) {
        const char *type = dump->modules[i].name;

        switch (has_type(server, type)) {
        case SERVER_FITS:
            break;
        case SERVER_FIT_UNKNOWN:
            doubt(doubts,
                  "the dump has data of the module type %s, and whether the server loads the module that reads "
                  "it is not known",
                  type);
            break;
        case SERVER_FITS_NOT:
            return err_set(err, ERR_UNSUPPORTED,
                           "the dump has data of the module type %s, and the server that is to read it loads no module "
                           "that has it (%s), so it would not start: add the module to its configuration (loadmodule)",
                           type, server->modules != NULL && *server->modules != '\0' ? server->modules : "none at all");
        }
    }
    return 0;
}

int
server_fit_check(const struct rdb_info *dump, const struct server_reader *server, struct server_doubts *doubts,
                 struct err *err)
{
    doubts->count = 0;
    if (!dump->parsed)
        doubt(doubts,
              "a part of the dump was not understood when it was backed up (%s): its databases and modules are "
              "not all known",
              dump->unparsed_why);
    if (check_version(dump, server, doubts, err) < 0 || check_databases(dump, server, doubts, err) < 0)
        return -1;
    return check_modules(dump, server, doubts, err);
}
