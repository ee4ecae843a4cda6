/* SPDX-License-Identifier: Apache-2.0 */
/* json_read.c: see json_read.h. */
#include "base/json_read.h"

#include <string.h>

#include "base/units.h"

json_t *
json_read_object(const char *data, size_t len, struct err *err)
{
    json_error_t why;
    json_t *object;

    if (memchr(data, '\0', len) != NULL) { /* which the library (2.14) skips */
        (void)err_set(err, ERR_CORRUPT, "not JSON: it has a NUL byte");
        return NULL;
    }
    object = json_loadb(data, len, JSON_REJECT_DUPLICATES, &why);
    if (object == NULL) {
        (void)err_set(err, ERR_CORRUPT, "not JSON: %s (byte %d)", why.text, why.position);
        return NULL;
    }
    if (!json_is_object(object)) {
        json_decref(object);
        (void)err_set(err, ERR_CORRUPT, "not a JSON object");
        return NULL;
    }
    return object;
}

static int
wrong(const char *key, const char *type, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "\"%s\" is missing or not %s", key, type);
}

int
json_read_str(const json_t *object, const char *key, const char **value, struct err *err)
{
    const char *s = json_string_value(json_object_get(object, key));

    if (s == NULL)
        return wrong(key, "a string", err);
    *value = s;
    return 0;
}

int
json_read_u64(const json_t *object, const char *key, uint64_t *value, struct err *err)
{
    const json_t *v = json_object_get(object, key);

    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return wrong(key, "a whole number", err);
    *value = (uint64_t)json_integer_value(v);
    return 0;
}

int
json_read_child(const json_t *object, const char *key, const json_t **value, struct err *err)
{
    const json_t *v = json_object_get(object, key);

    if (!json_is_object(v))
        return wrong(key, "an object", err);
    *value = v;
    return 0;
}

int
json_read_hex(const json_t *object, const char *key, size_t len, void *out, struct err *err)
{
    const char *s = json_string_value(json_object_get(object, key));

    if (s == NULL || strlen(s) != 2 * len || units_unhex(s, len, out) < 0)
        return wrong(key, "the right number of hex digits", err);
    return 0;
}

int
json_read_time(const json_t *object, const char *key, int64_t *ms, struct err *err)
{
    const char *s = json_string_value(json_object_get(object, key));
    struct err ignored = ERR_INIT;

    if (s == NULL || units_parse_time(s, ms, &ignored) < 0)
        return wrong(key, "a time", err);
    return 0;
}

const char *
json_opt_str(const json_t *object, const char *key, const char *missing)
{
    const char *s = json_string_value(json_object_get(object, key));

    return s != NULL ? s : missing;
}

uint64_t
json_opt_u64(const json_t *object, const char *key, uint64_t missing)
{
    const json_t *v = json_object_get(object, key);

    return json_is_integer(v) && json_integer_value(v) >= 0 ? (uint64_t)json_integer_value(v) : missing;
}

bool
json_opt_bool(const json_t *object, const char *key, bool missing)
{
    const json_t *v = json_object_get(object, key);

    return json_is_boolean(v) ? json_is_true(v) : missing;
}

char *
json_write_line(const json_t *object)
{
    char *s = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);

    REQUIRE(s != NULL);
    return s;
}
