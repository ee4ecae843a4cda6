/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docs_man.c: the man page. Texts of the tables become input lines of roff: a sentence starts a line, no line is long,
 * and what stands between backticks is bold. Only man(7) macros that groff and mandoc both know.
 */
#include <string.h>

#include "agent/docs.h"
#include "agent/help.h"
#include "agent/options.h"

#define LINE_WIDTH 78
#define WORD_MAX   256
#define PAGE_DATE  "2026-11-22" /* of the last change of its fixed texts */

/* ---- text as roff ------------------------------------------------------------------------------------------------ */

/* Text on its way into the page. */
struct flow {
    struct buf *out;
    struct buf word; /* the next word, as roff */
    size_t column;   /* of the input line; 0: a fresh one */
    bool bold;
};

/* One word. In bold and in options a hyphen is the character that is typed, and not one that a line may break at. */
static int
put_word(struct buf *out, const char *word, size_t len, bool *bold, struct err *err)
{
    bool is_option = len > 2 && strncmp(word + (*word == '`'), "--", 2) == 0;

    if (is_option && buf_append(out, "\\%", 2, err) < 0)
        return -1;
    for (size_t i = 0; i < len; i++) {
        const char *as = NULL;

        if (word[i] == '`') {
            *bold = !*bold;
            as = *bold ? "\\fB" : "\\fR";
        } else if (word[i] == '\\') {
            as = "\\e";
        } else if (word[i] == '-' && (*bold || is_option)) {
            as = "\\-";
        }
        if (buf_append(out, as != NULL ? as : word + i, as != NULL ? strlen(as) : 1, err) < 0)
            return -1;
    }
    return 0;
}

/* Put WORD where the line has room for it, and end the line behind a sentence. */
static int
flow_word(struct flow *f, const char *word, size_t len, struct err *err)
{
    const char *space = " ";

    REQUIRE(len > 0);
    buf_reset(&f->word);
    if (put_word(&f->word, word, len, &f->bold, err) < 0)
        return -1;
    if (f->column == 0) {
        /* A dot or quote that begins a line would be a request. */
        space = *word == '.' || *word == '\'' ? "\\&" : "";
    } else if (f->column + 1 + f->word.len > LINE_WIDTH) {
        space = "\n";
        f->column = 0;
    }
    if (buf_printf(f->out, err, "%s%s", space, f->word.data) < 0)
        return -1;
    f->column = word[len - 1] == '.' ? LINE_WIDTH : f->column + strlen(space) + f->word.len;
    return 0;
}

/* TEXT; its paragraphs are separated by PARAGRAPH, a macro. */
static int
put_text(struct buf *out, const char *text, const char *paragraph, struct err *err)
{
    struct flow f = {.out = out};
    int rc = 0;

    buf_init(&f.word, WORD_MAX);
    while (rc == 0 && *text != '\0') {
        size_t len = strcspn(text, " \n");

        rc = flow_word(&f, text, len, err);
        text += len;
        if (rc == 0 && *text == '\n') {
            rc = buf_printf(out, err, "\n%s\n", paragraph);
            f.column = 0;
        }
        text += strspn(text, " \n");
    }
    if (rc == 0)
        rc = buf_append(out, "\n", 1, err);
    buf_fini(&f.word);
    return rc;
}

/* A text all of which is typed, or stands in a program: hyphens and backslashes kept. */
static int
put_literal(struct buf *out, const char *text, size_t len, struct err *err)
{
    bool bold = true;

    return put_word(out, text, len, &bold, err);
}

/* Lines of TEXT as an example. */
static int
put_example(struct buf *out, const char *text, struct err *err)
{
    if (buf_printf(out, err, ".PP\n.RS 4\n.nf\n") < 0)
        return -1;
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");

        if (put_literal(out, text, len, err) < 0 || buf_append(out, "\n", 1, err) < 0)
            return -1;
        text += len + (text[len] == '\n');
    }
    return buf_printf(out, err, ".fi\n.RE\n");
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static int
put_option(struct buf *out, const struct option *o, struct err *err)
{
    char env[OPTION_ENV_MAX];

    if (buf_printf(out, err, ".TP\n\\fB\\-\\-") < 0 || put_literal(out, o->name, strlen(o->name), err) < 0 ||
        buf_printf(out, err, "\\fR%s", o->value != NULL ? " \\fI" : "") < 0 ||
        (o->value != NULL && put_literal(out, o->value, strlen(o->value), err) < 0) ||
        buf_printf(out, err, "%s\n", o->value != NULL ? "\\fR" : "") < 0 || put_text(out, o->help, ".IP", err) < 0)
        return -1;
    if (o->preset != NULL && buf_printf(out, err, "Default: %s.\n", o->preset) < 0)
        return -1;
    return buf_printf(out, err, "(%s)\n", option_env(o, env));
}

/* The options that are GLOBAL, or that COMMAND has for itself or shares with a few. */
static int
put_options(struct buf *out, bool global, enum command_id command, struct err *err)
{
    size_t count;
    const struct option *table = options_table(&count);

    for (size_t i = 0; i < count; i++) {
        if (table[i].global == global && (global || (table[i].commands & (1u << command)) != 0) &&
            put_option(out, &table[i], err) < 0)
            return -1;
    }
    return 0;
}

/* ---- the page ---------------------------------------------------------------------------------------------------- */

static int
put_head(struct buf *out, struct err *err)
{
    return buf_printf(out, err,
                      ".\\\" SPDX-License-Identifier: Apache-2.0\n"
                      ".\\\" Generated by `make docs` from the tables of commands and options: edit those.\n"
                      ".TH REMORA 1 %s \"remora %s\" \"User Commands\"\n"
                      ".SH NAME\n"
                      "remora \\- back up Redis and Valkey, and restore them\n"
                      ".SH SYNOPSIS\n"
                      ".B remora\n"
                      ".RI [ GLOBAL\\ OPTIONS ]\n"
                      ".I COMMAND\n"
                      ".RI [ OPTIONS ]\n",
                      PAGE_DATE, REMORA_VERSION);
}

static int
put_description(struct buf *out, struct err *err)
{
    static const char text[] =
        "remora takes backups of a Redis or Valkey server, proves them while they are taken, compresses them with "
        "zstd, "
        "stores them in a repository, and brings them back into an empty folder or down a pipe.\n"
        "A backup that is listed is whole: its manifest is written last, after its dump was parsed to the end with a "
        "good checksum. A restore changes nothing but an empty folder.\n"
        "Every option may stand before or after the command, as `--option VALUE` or `--option=VALUE`. Results go to "
        "standard output, logs and progress to standard error. Sizes are written 64M, durations 1h30m.";

    return buf_printf(out, err, ".SH DESCRIPTION\n") < 0 ? -1 : put_text(out, text, ".PP", err);
}

static int
put_command(struct buf *out, enum command_id id, struct err *err)
{
    const struct command *c = command_get(id);

    if (buf_printf(out, err, ".SS \"%s%s%s\"\n", c->name, *c->arguments != '\0' ? " " : "", c->arguments) < 0 ||
        put_text(out, c->text, ".PP", err) < 0)
        return -1;
    return put_options(out, false, id, err);
}

static int
put_environment(struct buf *out, struct err *err)
{
    static const char text[] =
        "Each option has a variable, which is named in parentheses above: `REMORA_REDIS_URL` is `--redis-url`. The "
        "command line wins; an empty variable counts as unset; values of a list are separated by commas.";

    static const struct {
        const char *names, *text;
    } others[] = {
        {"REDISCLI_AUTH", "The server's password, when neither the URL nor --redis-password-file has it."},
        {"AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN",
         "The access key to the S3 store, without --s3-access-key-file."},
        {"AWS_PROFILE, AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE",
         "Else: which profile of the shared files has it, and where these are. A profile gives a key, a role "
         "(source_profile, credential_source or web_identity_token_file) or a credential_process; not single sign-on."},
        {"AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_SESSION_NAME",
         "Else: the role, and the token for it, that a pod was given (IRSA). AWS_ENDPOINT_URL_STS says where the token "
         "service is, AWS_STS_REGIONAL_ENDPOINTS whether AWS's own is that of the region."},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
         "Else: the endpoint that gives a container its key (EKS Pod Identity, ECS), with "
         "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE or AWS_CONTAINER_AUTHORIZATION_TOKEN."},
        {"AWS_EC2_METADATA_DISABLED, AWS_EC2_METADATA_SERVICE_ENDPOINT, AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
         "Else: the instance metadata service, version 2, unless the first is true. The first of these ways that is "
         "configured is used, and where it fails, remora says so and does not go on to the next."},
        {"AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL", "Where the S3 store is, without --s3-endpoint."},
        {"AWS_REGION, AWS_DEFAULT_REGION", "Its region, without --s3-region."},
        {"AWS_CA_BUNDLE", "Certificates to trust for https, without --s3-ca."},
    };

    if (buf_printf(out, err, ".SH ENVIRONMENT\n") < 0 || put_text(out, text, ".PP", err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (buf_printf(out, err, ".TP\n.B %s\n", others[i].names) < 0 || put_text(out, others[i].text, ".IP", err) < 0)
            return -1;
    }
    return 0;
}

static int
put_statuses(struct buf *out, struct err *err)
{
    const char *meaning;
    int status = 0;

    if (buf_printf(out, err, ".SH EXIT STATUS\n") < 0)
        return -1;
    for (size_t i = 0; (meaning = help_status(i, &status)) != NULL; i++) {
        if (buf_printf(out, err, ".TP\n.B %d\n", status) < 0 || put_text(out, meaning, ".IP", err) < 0)
            return -1;
    }
    return 0;
}

static int
put_files(struct buf *out, struct err *err)
{
    static const struct {
        const char *name, *text;
    } files[] = {
        {"remora.json", "In a repository: its marker. A place without one is not a repository."},
        {"instances/NAME/backups/ID.json", "In a repository: the manifest, which makes a backup exist."},
        {".remora\\-lock", "In a target: held while a restore runs."},
        {".remora\\-restore/",
         "In a target: what a restore has staged. An interrupted one is finished, or replaced, by "
         "the next."},
        {".remora\\-restored.json", "In a target: which backup was restored, and when."},
    };

    if (buf_printf(out, err, ".SH FILES\n") < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        if (buf_printf(out, err, ".TP\n.I %s\n", files[i].name) < 0 || put_text(out, files[i].text, ".IP", err) < 0)
            return -1;
    }
    return 0;
}

/* Every command's own examples, in the order of the commands. */
static int
put_examples(struct buf *out, struct err *err)
{
    if (buf_printf(out, err, ".SH EXAMPLES\n") < 0)
        return -1;
    for (int id = COMMAND_NONE + 1; id < COMMAND_COUNT; id++) {
        const struct command *c = command_get((enum command_id)id);

        if (buf_printf(out, err, "%s%s: %s\n", id > COMMAND_NONE + 1 ? ".PP\n" : "", c->name, c->summary) < 0 ||
            put_example(out, c->example, err) < 0)
            return -1;
    }
    if (buf_printf(out, err, ".PP\nWithout remora, from a repository in a folder:\n") < 0)
        return -1;
    return put_example(out, "cat instances/shop-cache/data/ID/rdb/*.zst | zstd -d > dump.rdb", err);
}

int
docs_man(struct buf *out, struct err *err)
{
    if (put_head(out, err) < 0 || put_description(out, err) < 0 || buf_printf(out, err, ".SH COMMANDS\n") < 0)
        return -1;
    for (int id = COMMAND_NONE + 1; id < COMMAND_COUNT; id++) {
        if (put_command(out, (enum command_id)id, err) < 0)
            return -1;
    }
    if (buf_printf(out, err, ".SH GLOBAL OPTIONS\n") < 0 || put_options(out, true, COMMAND_NONE, err) < 0 ||
        put_environment(out, err) < 0 || put_statuses(out, err) < 0 || put_files(out, err) < 0 ||
        put_examples(out, err) < 0)
        return -1;
    return buf_printf(out, err, ".SH SEE ALSO\n.BR redis\\-server (1),\n.BR valkey\\-server (1),\n.BR zstd (1)\n");
}
