/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_json.c: what an inspection found, for programs; see inspect_report.h. All sizes are bytes of the dump. */
#include "agent/inspect_report.h"

#include "agent/key_name.h"
#include "agent/output.h"

static void
append(json_t *array, json_t *value)
{
    REQUIRE(json_array_append_new(array, value) == 0);
}

static json_t *
optional_count(uint64_t n, bool is_known)
{
    return is_known ? json_integer((json_int_t)n) : json_null();
}

static void
add_sum(json_t *object, const struct inspect_sum *sum)
{
    output_add_count(object, "keys", sum->keys);
    output_add_count(object, "bytes", sum->bytes);
    output_add_count(object, "expires", sum->expires);
}

static json_t *
source(const struct inspect_report *r)
{
    json_t *object = json_object();

    output_add(object, "kind", json_string(r->backup != NULL ? "backup" : "file"));
    if (r->backup != NULL) {
        output_add_text(object, "id", r->backup->id.text);
        output_add_text(object, "instance", r->backup->instance);
        output_add_time(object, "snapshot_time", r->backup->snapshot_ms);
    } else {
        output_add_text(object, "path", r->path);
    }
    return object;
}

static json_t *
dump(const struct rdb_info *rdb)
{
    json_t *object = json_object();

    output_add(object, "kind", json_string(rdb->kind == RDB_VALKEY ? "valkey" : "redis"));
    output_add_count(object, "version", rdb->version);
    output_add(object, "server_version",
               rdb->server_version[0] != '\0' ? json_string(rdb->server_version) : json_null());
    output_add_count(object, "bytes", rdb->bytes);
    output_add_count(object, "functions", rdb->functions);
    return object;
}

static json_t *
kinds_of_values(const struct inspect_db *db, enum rdb_type type)
{
    json_t *array = json_array();

    for (int e = 0; e < RDB_ENCODING_COUNT; e++) {
        const struct inspect_sum *sum = &db->sums[type][e];
        json_t *object;

        if (sum->keys == 0)
            continue;
        object = json_object();
        output_add(object, "encoding", json_string(rdb_encoding_name((enum rdb_encoding)e)));
        add_sum(object, sum);
        append(array, object);
    }
    return array;
}

/* By type, and within each by encoding. */
static json_t *
types(const struct inspect_db *db)
{
    json_t *array = json_array();

    for (int t = 0; t < RDB_TYPE_COUNT; t++) {
        struct inspect_sum sum = {0};
        json_t *object;

        for (int e = 0; e < RDB_ENCODING_COUNT; e++)
            inspect_sum_add(&sum, &db->sums[t][e]);
        if (sum.keys == 0)
            continue;
        object = json_object();
        output_add(object, "type", json_string(rdb_type_name((enum rdb_type)t)));
        add_sum(object, &sum);
        output_add(object, "encodings", kinds_of_values(db, (enum rdb_type)t));
        append(array, object);
    }
    return array;
}

/* IS_OTHERS: all that there was no room to tell apart, whose number is null. */
static json_t *
database(const struct inspect_db *db, bool is_others)
{
    json_t *object = json_object();

    output_add(object, "database", optional_count(db->number, !is_others));
    add_sum(object, &db->all);
    output_add(object, "types", types(db));
    return object;
}

static json_t *
databases(const struct inspect *x)
{
    json_t *array = json_array();

    for (size_t i = 0; i < x->db_count; i++)
        append(array, database(&x->dbs[i], false));
    if (x->other_dbs.all.keys > 0)
        append(array, database(&x->other_dbs, true));
    return array;
}

static json_t *
expiry(const struct inspect *x)
{
    json_t *object = json_object();

    output_add_time(object, "now", x->now_ms);
    for (int i = 0; i < INSPECT_EXPIRY_COUNT; i++) {
        json_t *step = json_object();

        output_add_count(step, "keys", x->expiry[i].keys);
        output_add_count(step, "bytes", x->expiry[i].bytes);
        output_add(object, inspect_expiry_name((enum inspect_expiry)i), step);
    }
    return object;
}

static json_t *
sizes(const struct inspect *x)
{
    json_t *array = json_array();

    for (size_t i = 0; i < INSPECT_SIZES; i++) {
        json_t *step = json_object();

        output_add(step, "below", optional_count(inspect_size_limit(i), i + 1 < INSPECT_SIZES));
        output_add_count(step, "keys", x->sizes[i].keys);
        output_add_count(step, "bytes", x->sizes[i].bytes);
        append(array, step);
    }
    return array;
}

static json_t *
prefixes(const struct inspect_report *r)
{
    const uint8_t separator = (uint8_t)r->options.prefixes.separator;
    struct prefixes *table = r->found->prefixes;
    json_t *object = json_object(), *top = json_array(), *others = json_object();
    size_t count = 0;
    const struct prefix *p = prefixes_sort(table, &count);

    output_add(object, "separator", key_name_json(&separator, 1));
    output_add_count(object, "depth", r->options.prefixes.depth);
    output_add(object, "exact", json_boolean(prefixes_bytes_missed(table) == 0));
    output_add_count(object, "bytes_missed_at_most", prefixes_bytes_missed(table));
    output_add_count(object, "count", count);
    for (size_t i = 0; i < count && i < r->options.top; i++) {
        json_t *entry = json_object();

        output_add(entry, "prefix", key_name_json(prefixes_name(table, &p[i]), p[i].len));
        add_sum(entry, &p[i].sum);
        append(top, entry);
    }
    output_add(object, "top", top);
    add_sum(others, prefixes_others(table));
    output_add(object, "others", others);
    return object;
}

static json_t *
largest(struct top_keys *keys)
{
    json_t *array = json_array();
    size_t count = 0;
    const struct top_key *top = top_keys_sort(keys, &count);

    for (size_t i = 0; i < count; i++) {
        const struct rdb_key *key = &top[i].key;
        json_t *object = json_object();

        output_add(object, "name", key_name_json(key->name, key->name_len));
        output_add_count(object, "name_bytes", key->name_full_len);
        output_add(object, "name_cut", json_boolean(key->name_len < key->name_full_len));
        output_add_count(object, "database", key->database);
        output_add(object, "type", json_string(rdb_type_name(key->type)));
        output_add(object, "encoding", json_string(rdb_encoding_name(key->encoding)));
        output_add_count(object, "bytes", key->bytes);
        output_add(object, "elements", optional_count((uint64_t)key->elements, key->elements != RDB_ELEMENTS_UNKNOWN));
        output_add(object, "expires_ms", key->expires ? json_integer(key->expires_ms) : json_null());
        append(array, object);
    }
    return array;
}

json_t *
inspect_report_json(const struct inspect_report *r)
{
    json_t *object = json_object(), *both = json_object();
    struct inspect_db all;

    inspect_sum_all(r->found, &all);
    output_add_text(object, "command", "inspect");
    output_add(object, "source", source(r));
    output_add(object, "rdb", dump(r->rdb));
    add_sum(object, &all.all);
    output_add(object, "databases", databases(r->found));
    output_add(object, "types", types(&all));
    output_add(object, "expiry", expiry(r->found));
    output_add(object, "sizes", sizes(r->found));
    output_add(object, "prefixes", prefixes(r));
    output_add(both, "by_bytes", largest(r->found->by_bytes));
    output_add(both, "by_elements", largest(r->found->by_elements));
    output_add(object, "largest", both);
    return object;
}
