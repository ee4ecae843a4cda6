/* SPDX-License-Identifier: Apache-2.0 */
/* profile.c: see profile.h. */
#include "storage/s3/profile.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

#define FILE_MAX ((size_t)1 << 20)

/* A part of a line. */
struct span {
    const char *at;
    size_t len;
};

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct span
trim(const char *at, size_t len)
{
    while (len > 0 && is_blank(at[0])) {
        at++;
        len--;
    }
    while (len > 0 && is_blank(at[len - 1]))
        len--;
    return (struct span){at, len};
}

static bool
is(struct span s, const char *text)
{
    return strlen(text) == s.len && memcmp(text, s.at, s.len) == 0;
}

/* Is "[SECTION]" the one of profile NAME? */
static bool
is_section_of(struct span section, const char *name, bool is_config)
{
    section = trim(section.at + 1, section.len - 2);
    if (is_config && section.len > 8 && memcmp(section.at, "profile", 7) == 0 && is_blank(section.at[7]))
        return is(trim(section.at + 8, section.len - 8), name);
    return (!is_config || strcmp(name, "default") == 0) && is(section, name);
}

/* The settings that are known, but for those of a key, which goes together. */
static const struct {
    const char *name;
    size_t field;
} settings[] = {
    {"region", offsetof(struct s3_profile, region)},
    {"endpoint_url", offsetof(struct s3_profile, endpoint_url)},
    {"role_arn", offsetof(struct s3_profile, role_arn)},
    {"source_profile", offsetof(struct s3_profile, source_profile)},
    {"credential_source", offsetof(struct s3_profile, credential_source)},
    {"web_identity_token_file", offsetof(struct s3_profile, web_identity_token_file)},
    {"role_session_name", offsetof(struct s3_profile, role_session_name)},
    {"external_id", offsetof(struct s3_profile, external_id)},
    {"duration_seconds", offsetof(struct s3_profile, duration_seconds)},
    {"mfa_serial", offsetof(struct s3_profile, mfa_serial)},
    {"credential_process", offsetof(struct s3_profile, credential_process)},
    {"sso_session", offsetof(struct s3_profile, sso)},
    {"sso_start_url", offsetof(struct s3_profile, sso)},
};

static char **
field_of(struct s3_profile *p, size_t setting)
{
    return (char **)(void *)((char *)p + settings[setting].field);
}

static void
set(char **field, struct span value)
{
    if (*field == NULL && value.len > 0)
        *field = mem_strndup(value.at, value.len);
}

static void
take_setting(struct s3_profile *p, struct span key, struct span value)
{
    if (is(key, "aws_access_key_id"))
        set(&p->access_key_id, value);
    else if (is(key, "aws_secret_access_key"))
        set(&p->secret_access_key, value);
    else if (is(key, "aws_session_token"))
        set(&p->session_token, value);
    for (size_t i = 0; i < ARRAY_LEN(settings); i++)
        if (is(key, settings[i].name))
            set(field_of(p, i), value);
}

void
s3_profile_parse(struct s3_profile *p, const char *text, size_t len, const char *name, bool is_config)
{
    bool inside = false, had_keys = p->access_key_id != NULL;
    struct s3_profile said = {0};

    while (len > 0) {
        const char *end = memchr(text, '\n', len), *equals;
        size_t line_len = end != NULL ? (size_t)(end - text) : len;
        struct span line = trim(text, line_len);
        bool indented = line_len > 0 && is_blank(text[0]);

        equals = line.len > 0 ? memchr(line.at, '=', line.len) : NULL;
        if (line.len >= 2 && line.at[0] == '[' && line.at[line.len - 1] == ']') {
            inside = is_section_of(line, name, is_config);
            said.found = said.found || inside;
        } else if (inside && !indented && equals != NULL && line.at[0] != '#' && line.at[0] != ';') {
            take_setting(&said, trim(line.at, (size_t)(equals - line.at)),
                         trim(equals + 1, (size_t)(line.at + line.len - equals - 1)));
        }
        text += line_len + (end != NULL ? 1 : 0);
        len -= line_len + (end != NULL ? 1 : 0);
    }
    /* A key, its secret and its token come from one place or not at all. */
    if (!had_keys) {
        p->access_key_id = said.access_key_id;
        p->secret_access_key = said.secret_access_key;
        p->session_token = said.session_token;
        said.access_key_id = said.secret_access_key = said.session_token = NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        char **field = field_of(p, i), **more = field_of(&said, i);

        if (*field == NULL) {
            *field = *more;
            *more = NULL;
        }
    }
    p->found = p->found || said.found;
    s3_profile_fini(&said);
}

static int
load_file(struct s3_profile *p, const char *env, const char *in_home, const char *name, bool is_config, struct err *err)
{
    const char *given = getenv(env), *home = getenv("HOME");
    struct err cause = ERR_INIT;
    char *path, *text = NULL;
    size_t len = 0;
    int rc = 0;

    if (given != NULL && *given != '\0')
        path = mem_strdup(given);
    else if (home != NULL && *home != '\0')
        path = mem_printf("%s/.aws/%s", home, in_home);
    else
        return 0;
    if (file_read_all(AT_FDCWD, path, FILE_MAX, &text, &len, &cause) == 0)
        s3_profile_parse(p, text, len, name, is_config);
    else if (cause.code != ERR_NOT_FOUND)
        rc = err_set(err, ERR_USAGE, "the shared file of AWS settings cannot be used: %s", cause.msg);
    if (text != NULL)
        mem_wipe(text, len);
    free(text);
    free(path);
    return rc;
}

int
s3_profile_load(struct s3_profile *p, const char *name, struct err *err)
{
    memset(p, 0, sizeof(*p));
    if (load_file(p, "AWS_SHARED_CREDENTIALS_FILE", "credentials", name, false, err) < 0)
        return -1;
    return load_file(p, "AWS_CONFIG_FILE", "config", name, true, err);
}

static void
wipe(char *text)
{
    if (text != NULL)
        mem_wipe(text, strlen(text));
    free(text);
}

void
s3_profile_fini(struct s3_profile *p)
{
    wipe(p->access_key_id);
    wipe(p->secret_access_key);
    wipe(p->session_token);
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) /* two names may have one field */
        wipe(*field_of(p, i)), *field_of(p, i) = NULL;
    memset(p, 0, sizeof(*p));
}
