/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_trigger.c: `remora trigger`: has a running agent take a backup, and follows the job to its end. It asks anew each
 * second: so neither side has to keep a connection, and an agent that is out of reach for a moment costs nothing.
 *
 * A request for a backup is sent once more only where nobody listened, or the agent said that it was not followed and
 * may be later (503: it is ending, or cannot read its token file now): one whose answer was lost may have been
 * followed. (It would do no harm: one more backup.)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cmd.h"
#include "agent/printable.h"
#include "agent/progress_bar.h"
#include "agent/secret.h"
#include "agent/tell.h"
#include "base/clock.h"
#include "base/json_read.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sig.h"
#include "base/units.h"
#include "snapshot/repo/backup_id.h"
#include "storage/s3/http.h"

#define CONNECT_MS     5000
#define STALL_MS       10000
#define REFUSED_FOR_MS 10000 /* an agent that is about to listen, or to end and be started anew */
#define AWAY_FOR_MS    30000 /* an agent that does not answer while its job is followed */
#define FIRST_PAUSE_MS 200
#define PAUSE_MS       1000
#define JOB_ID_MAX     64

struct trigger {
    char *base; /* the URL without slashes at its end */
    char *peer; /* for messages */
    char *authorization;
    struct http *http;
    struct progress_bar *bar;
    char job[JOB_ID_MAX + 1];
    int64_t away_ms; /* since when it has not answered; 0: it has */
};

/* ---- asking ---- */

/* What the agent said was wrong, for a message; "" where it is not known. */
static void
said(const struct http_answer *answer, char *text, size_t size)
{
    struct err unused = ERR_INIT;
    const json_t *error = NULL;
    json_t *object = answer->body.len > 0 ? json_read_object(answer->body.data, answer->body.len, &unused) : NULL;

    *text = '\0';
    if (object != NULL && json_read_child(object, "error", &error, &unused) == 0)
        (void)snprintf(text, size, ": %s", json_opt_str(error, "message", ""));
    printable_make(text);
    json_decref(object);
}

/* Always -1. */
static int
refused(const struct trigger *t, const char *what, const struct http_answer *answer, struct err *err)
{
    char text[600];
    bool denied = answer->status == 401 || answer->status == 403;

    said(answer, text, sizeof(text));
    return err_set(err, denied ? ERR_SERVER_DENIED : ERR_SERVER, "%s answered %s with status %d%s%s", t->peer, what,
                   answer->status, text, answer->status == 401 ? "; check --token-file" : "");
}

/* One request. The answer has WANTED as its status, and its "job" goes to *JOB (caller frees); else -1, with
 * *STATUS what it was, 0 without any. */
static int
ask(const struct trigger *t, const struct http_request *request, int wanted, int *status, json_t **job, struct err *err)
{
    struct http_answer answer;
    const json_t *inner = NULL;
    json_t *object = NULL;
    int rc = -1;

    *status = 0;
    if (http_perform(t->http, request, &answer, err) < 0) {
        if (err->code == ERR_STORAGE)
            err->code = ERR_SERVER;
        goto out;
    }
    *status = answer.status;
    if (answer.status != wanted) {
        (void)refused(t, request->method, &answer, err);
        goto out;
    }
    object = json_read_object(answer.body.data != NULL ? answer.body.data : "", answer.body.len, err);
    if (object == NULL || json_read_child(object, "job", &inner, err) < 0) {
        (void)err_set(err, ERR_SERVER, "what %s answered is not of a remora agent; check --url", t->peer);
        goto out;
    }
    *job = json_deep_copy(inner);
    rc = 0;
out:
    json_decref(object);
    http_answer_fini(&answer);
    return rc;
}

/* Keeps the job's id, which becomes a part of a URL. */
static int
take_id(struct trigger *t, const json_t *job, struct err *err)
{
    const char *id = json_opt_str(job, "id", "");
    size_t len = strlen(id);

    if (len == 0 || len > JOB_ID_MAX || strspn(id, "0123456789abcdef") != len)
        return err_set(err, ERR_SERVER, "%s gave the job no proper id; check --url", t->peer);
    memcpy(t->job, id, len + 1);
    return 0;
}

/* Was the request not followed, as far as is known, and may be if it is sent once more? */
static bool
may_post_again(int status, const struct err *err)
{
    return err->code == ERR_SERVER && (status == 503 || err->sys == ECONNREFUSED);
}

static int
post(struct trigger *t, json_t **job, struct err *err)
{
    const struct http_header headers[] = {{"Authorization", t->authorization}};
    char *url = mem_printf("%s/api/v1/backups", t->base);
    const struct http_request request = {.method = "POST",
                                         .url = url,
                                         .headers = headers,
                                         .header_count = ARRAY_LEN(headers),
                                         .has_body = true,
                                         .body = "{}",
                                         .body_len = 2,
                                         .fresh = true};
    int64_t end_ms = clock_mono_ms() + REFUSED_FOR_MS;
    int status, rc;

    for (;;) {
        rc = ask(t, &request, 202, &status, job, err);
        if (rc == 0 || !may_post_again(status, err) || clock_mono_ms() >= end_ms)
            break;
        clock_sleep_ms(PAUSE_MS / 2);
        if (sig_check(err) < 0)
            break;
        err_clear(err);
    }
    free(url);
    return rc == 0 ? take_id(t, *job, err) : -1;
}

/* ---- following ---- */

static bool
has_ended(const json_t *job)
{
    const char *state = json_opt_str(job, "state", "");

    return strcmp(state, "succeeded") == 0 || strcmp(state, "failed") == 0;
}

static void
show_progress(const struct trigger *t, const json_t *job)
{
    const struct progress_sink sink = progress_bar_sink(t->bar);
    struct progress p;

    if (tell_read_progress(json_object_get(job, "progress"), &p))
        progress_tell(&sink, p.phase, p.done, p.total, p.stored);
}

/* Ask once how *JOB is. -1: there is no use in asking again. */
static int
look(struct trigger *t, const char *url, json_t **job, struct err *err)
{
    const struct http_request request = {.method = "GET", .url = url};
    struct err problem = ERR_INIT;
    json_t *newer = NULL;
    int status;

    if (ask(t, &request, 200, &status, &newer, &problem) == 0) {
        json_decref(*job);
        *job = newer;
        t->away_ms = 0;
        return 0;
    }
    if (status == 404)
        return err_set(err, ERR_SERVER,
                       "%s does not know its job %s any more: it was started anew meanwhile, or has done much else; "
                       "`remora list` shows whether there is a backup",
                       t->peer, t->job);
    if (problem.code == ERR_INTERRUPTED || (status != 0 && status < 500) ||
        (t->away_ms != 0 && clock_mono_ms() - t->away_ms > AWAY_FOR_MS)) {
        *err = problem;
        return err_wrap(err, "what became of the job %s is not known", t->job);
    }
    if (t->away_ms == 0)
        log_warn("the agent does not answer; asking on", LOG_S("job", t->job), LOG_S("problem", problem.msg));
    t->away_ms = t->away_ms != 0 ? t->away_ms : clock_mono_ms();
    return 0;
}

static int
follow(struct trigger *t, json_t **job, struct err *err)
{
    char *url = mem_printf("%s/api/v1/jobs/%s", t->base, t->job);
    int64_t pause_ms = FIRST_PAUSE_MS;
    int rc = 0;

    while (rc == 0 && !has_ended(*job)) {
        show_progress(t, *job);
        clock_sleep_ms(pause_ms);
        pause_ms = pause_ms * 2 < PAUSE_MS ? pause_ms * 2 : PAUSE_MS;
        rc = sig_check(err);
        if (rc < 0)
            (void)err_wrap(err, "the agent goes on with its job %s", t->job);
        else
            rc = look(t, url, job, err);
    }
    free(url);
    return rc;
}

/* ---- the whole ---- */

static int
report(const struct trigger *t, const json_t *job, struct output *out, struct err *err)
{
    const char *id = json_opt_str(job, "backup_id", "");
    int status = (int)json_opt_u64(job, "exit_status", 1);
    const char *why = json_opt_str(job, "error", "it did not say why");
    struct backup_id backup;
    json_t *object;

    if (strcmp(json_opt_str(job, "state", ""), "succeeded") != 0) {
        (void)err_set(err, status != 0 ? err_of_exit_status(status) : ERR_INTERNAL, "the backup by %s failed: %s",
                      t->peer, why);
        printable_make(err->msg);
        return -1;
    }
    if (!backup_id_parse(id, &backup, NULL)) /* it goes to stdout, and into scripts */
        return err_set(err, ERR_SERVER, "%s made a backup and did not say which; `remora list` shows it", t->peer);
    log_info("backup finished", LOG_S("id", id), LOG_S("job", t->job));
    if (!out->json)
        return output_text(out, err, "%s\n", backup.text);
    object = json_object();
    output_add_text(object, "command", "trigger");
    output_add_text(object, "id", backup.text);
    output_add(object, "job", json_deep_copy(job));
    return output_json_take(out, object, err);
}

static int
prepare(struct trigger *t, const struct config *c, struct err *err)
{
    struct http_options o = {.ca_option = "--tls-ca",
                             .ca_file = c->tls_ca,
                             .connect_timeout_ms = CONNECT_MS,
                             .stall_timeout_ms = STALL_MS,
                             .direct = true};
    const char *host = strstr(c->url, "://");
    char *token = NULL;
    size_t len = strlen(c->url);

    if (host == NULL || (strncmp(c->url, "http://", 7) != 0 && strncmp(c->url, "https://", 8) != 0) ||
        strpbrk(c->url, "@?# ") != NULL || host[3] == '\0' || host[3] == '/')
        return err_set(err, ERR_USAGE,
                       "--url is not the address of an agent; give http://HOST:PORT or https://HOST:PORT");
    if (c->token_file == NULL)
        return err_set(err, ERR_USAGE, "--token-file is missing: the file with the token that the agent has too");
    if (secret_read_token(c->token_file, &token, err) < 0)
        return -1;
    t->authorization = mem_printf("Bearer %s", token);
    secret_free(token);
    while (len > 0 && c->url[len - 1] == '/')
        len--;
    t->base = mem_strndup(c->url, len);
    t->peer = mem_printf("the agent at %s", t->base);
    o.peer = t->peer;
    t->http = http_new(&o, err);
    return t->http != NULL ? 0 : -1;
}

int
cmd_trigger(const struct config *config, struct output *out, struct err *err)
{
    struct trigger t = {0};
    json_t *job = NULL;
    int rc = -1;

    if (prepare(&t, config, err) < 0 || post(&t, &job, err) < 0)
        goto out;
    log_info("the agent was asked for a backup", LOG_S("url", t.base), LOG_S("job", t.job));
    t.bar = progress_bar_new(config);
    rc = follow(&t, &job, err);
    progress_bar_free(t.bar);
    if (rc == 0)
        rc = report(&t, job, out, err);
out:
    json_decref(job);
    http_free(t.http);
    secret_free(t.authorization);
    free(t.base);
    free(t.peer);
    return rc;
}
