/* SPDX-License-Identifier: Apache-2.0 */
/* resp.c: see resp.h. hiredis' reader builds `struct reply` through the functions below. Its interface for them differs
 * between 0.14 (Debian 12) and 1.x (Debian 13). */
#include "snapshot/redis/resp.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct resp_parser {
    redisReader *reader;
    redisReplyObjectFunctions functions;
    size_t fed; /* bytes since the last whole reply */
};

void
reply_free(struct reply *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->count; i++)
        reply_free(r->elements[i]);
    free(r->elements);
    free(r->text);
    free(r);
}

/* ---- what hiredis calls ----------------------------------------------------------------------------------------- */

/* A reply of TYPE, in its place if it is part of an array. */
static struct reply *
add_reply(const redisReadTask *task, enum reply_type type)
{
    struct reply *r = mem_new(sizeof(*r));

    r->type = type;
    if (task->parent != NULL) {
        struct reply *parent = task->parent->obj;

        parent->elements[task->idx] = r;
    }
    return r;
}

static void *
create_string(const redisReadTask *task, char *text, size_t len)
{
    struct reply *r = add_reply(task, task->type == REDIS_REPLY_ERROR    ? REPLY_ERROR
                                      : task->type == REDIS_REPLY_STATUS ? REPLY_STATUS
                                                                         : REPLY_STRING);

    r->text = mem_strndup(text, len);
    r->len = len;
    return r;
}

static void *
create_integer(const redisReadTask *task, long long value)
{
    struct reply *r = add_reply(task, REPLY_INTEGER);

    r->integer = value;
    return r;
}

static void *
create_nil(const redisReadTask *task)
{
    return add_reply(task, REPLY_NIL);
}

/* In how many arrays does the reply of TASK stand? hiredis 0.14 itself stops at 7, 1.x nowhere. */
static unsigned
depth_of(const redisReadTask *task)
{
    unsigned depth = 0;

    for (; task->parent != NULL; task = task->parent)
        depth++;
    return depth;
}

/* NULL makes the reader fail with an out-of-memory error, which is what a hostile count comes to: each level of nesting
 * may announce as many elements again, for a few bytes. */
static void *
create_elements(const redisReadTask *task, size_t count)
{
    struct reply *r;

    if (count > RESP_REPLY_MAX_ELEMENTS || depth_of(task) > RESP_REPLY_MAX_DEPTH)
        return NULL;
    r = add_reply(task, REPLY_ARRAY);
    r->elements = mem_array(count, sizeof(struct reply *));
    r->count = count;
    return r;
}

#if HIREDIS_MAJOR >= 1
static void *
create_array(const redisReadTask *task, size_t count)
{
    return create_elements(task, count);
}

static void *
create_double(const redisReadTask *task, double value, char *text, size_t len)
{
    (void)value;
    return create_string(task, text, len);
}

static void *
create_bool(const redisReadTask *task, int value)
{
    return create_integer(task, value);
}
#else
static void *
create_array(const redisReadTask *task, int count)
{
    return create_elements(task, count < 0 ? 0 : (size_t)count);
}
#endif

static void
free_object(void *object)
{
    reply_free(object);
}

/* ---- the parser ------------------------------------------------------------------------------------------------- */

struct resp_parser *
resp_parser_new(void)
{
    struct resp_parser *p = mem_new(sizeof(*p));

    p->functions.createString = create_string;
    p->functions.createArray = create_array;
    p->functions.createInteger = create_integer;
    p->functions.createNil = create_nil;
    p->functions.freeObject = free_object;
#if HIREDIS_MAJOR >= 1
    p->functions.createDouble = create_double;
    p->functions.createBool = create_bool;
#endif
    p->reader = redisReaderCreateWithFunctions(&p->functions);
    REQUIRE(p->reader != NULL);
    return p;
}

int
resp_parser_feed(struct resp_parser *p, const void *data, size_t len, struct err *err)
{
    if (len > RESP_REPLY_MAX_BYTES - p->fed)
        return err_set(err, ERR_SERVER, "the reply is larger than the %u MiB that are taken of one",
                       RESP_REPLY_MAX_BYTES >> 20);
    p->fed += len;
    if (redisReaderFeed(p->reader, data, len) != REDIS_OK)
        return err_set(err, ERR_SERVER, "the reply could not be taken: %s", p->reader->errstr);
    return 0;
}

int
resp_parser_take(struct resp_parser *p, struct reply **out, struct err *err)
{
    void *object = NULL;

    if (redisReaderGetReply(p->reader, &object) != REDIS_OK)
        return err_set(err, ERR_SERVER,
                       p->reader->err == REDIS_ERR_OOM ? "the reply has more parts than are taken of one (%s)"
                                                       : "the reply is not the protocol of Redis (%s)",
                       p->reader->errstr);
    if (object != NULL)
        p->fed = 0;
    *out = object;
    return 0;
}

void
resp_parser_free(struct resp_parser *p)
{
    if (p == NULL)
        return;
    redisReaderFree(p->reader);
    free(p);
}

/* ---- commands --------------------------------------------------------------------------------------------------- */

char *
resp_command(const char *const *argv, size_t *len)
{
    const char *args[16];
    char *command = NULL;
    int count = 0;
    long long n; /* hiredis 0.14 gives an int, 1.x a long long */

    for (; argv[count] != NULL; count++) {
        REQUIRE(count < (int)ARRAY_LEN(args));
        args[count] = argv[count];
    }
    n = redisFormatCommandArgv(&command, count, args, NULL);
    REQUIRE(n > 0);
    *len = (size_t)n;
    return command;
}

void
resp_command_free(char *command, size_t len)
{
    if (command == NULL)
        return;
    mem_wipe(command, len);
    redisFreeCommand(command);
}

#define TEXT(x)          #x
#define VERSION(a, b, c) TEXT(a) "." TEXT(b) "." TEXT(c)

const char *
resp_library_version(void)
{
    return VERSION(HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
}
