/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_read.h: reading JSON objects (jansson's) that came from outside. A missing or wrongly typed member is
 * ERR_CORRUPT and is named. Strings that are returned belong to the object. Thread-safe on different objects.
 */
#ifndef BASE_JSON_READ_H
#define BASE_JSON_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* One JSON object from LEN bytes, nothing behind it; duplicate keys are refused. NULL with ERR_CORRUPT. Caller does
 * json_decref(). */
json_t *json_read_object(const char *data, size_t len, struct err *err) MUST_CHECK;

/* Members that must be there. */
int json_read_str(const json_t *object, const char *key, const char **value, struct err *err) MUST_CHECK;
int json_read_u64(const json_t *object, const char *key, uint64_t *value, struct err *err) MUST_CHECK;
int json_read_child(const json_t *object, const char *key, const json_t **value, struct err *err) MUST_CHECK;
/* A string of exactly 2 * LEN hex digits, into OUT. */
int json_read_hex(const json_t *object, const char *key, size_t len, void *out, struct err *err) MUST_CHECK;
/* An RFC 3339 time, in milliseconds since 1970. */
int json_read_time(const json_t *object, const char *key, int64_t *ms, struct err *err) MUST_CHECK;

/* Members that may be missing: the default then (also where the type is wrong). */
const char *json_opt_str(const json_t *object, const char *key, const char *missing);
uint64_t json_opt_u64(const json_t *object, const char *key, uint64_t missing);
bool json_opt_bool(const json_t *object, const char *key, bool missing);

/* Write the object as one line without spaces, its members in the order they were added. Caller frees. */
char *json_write_line(const json_t *object) MUST_CHECK;

#endif
