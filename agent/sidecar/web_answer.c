/* SPDX-License-Identifier: Apache-2.0 */
/* web_answer.c: what routes answer with; see web.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/output.h"
#include "agent/sidecar/web.h"
#include "base/json_read.h"

#define MESSAGE_MAX 2048

void
web_answer_init(struct web_answer *a)
{
    *a = (struct web_answer){.status = 200, .content_type = "text/plain; charset=utf-8"};
    buf_init(&a->body, WEB_ANSWER_MAX);
}

void
web_answer_text(struct web_answer *a, unsigned status, const char *text)
{
    struct err unused = ERR_INIT;

    a->status = status;
    a->content_type = "text/plain; charset=utf-8";
    buf_reset(&a->body);
    REQUIRE(buf_printf(&a->body, &unused, "%s\n", text) == 0);
}

void
web_answer_json_take(struct web_answer *a, json_t *object)
{
    struct err err = ERR_INIT;
    char *line = json_write_line(object);

    json_decref(object);
    a->content_type = "application/json";
    buf_reset(&a->body);
    if (buf_printf(&a->body, &err, "%s\n", line) < 0)
        web_answer_error(a, 500, "the answer is larger than %zu bytes; ask for less with ?limit=", WEB_ANSWER_MAX);
    free(line);
}

void
web_answer_error(struct web_answer *a, unsigned status, const char *fmt, ...)
{
    json_t *object = json_object(), *error = json_object();
    char message[MESSAGE_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    output_add(error, "status", json_integer((json_int_t)status));
    output_add_text(error, "message", message);
    output_add(object, "error", error);
    a->status = status;
    a->location[0] = '\0';
    web_answer_json_take(a, object);
}
