/* SPDX-License-Identifier: Apache-2.0 */
/* profile.c: see profile.h. */
#include "storage/s3/profile.h"

#include <fcntl.h>
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

static void
take_setting(struct s3_profile *p, struct span key, struct span value)
{
    const struct {
        const char *name;
        char **field;
    } known[] = {
        {"aws_access_key_id", &p->access_key_id}, {"aws_secret_access_key", &p->secret_access_key},
        {"aws_session_token", &p->session_token}, {"region", &p->region},
        {"endpoint_url", &p->endpoint_url},
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (is(key, known[i].name) && *known[i].field == NULL && value.len > 0)
            *known[i].field = mem_strndup(value.at, value.len);
    }
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
    if (p->region == NULL) {
        p->region = said.region;
        said.region = NULL;
    }
    if (p->endpoint_url == NULL) {
        p->endpoint_url = said.endpoint_url;
        said.endpoint_url = NULL;
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

void
s3_profile_fini(struct s3_profile *p)
{
    char *const all[] = {p->access_key_id, p->secret_access_key, p->session_token, p->region, p->endpoint_url};

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (all[i] != NULL)
            mem_wipe(all[i], strlen(all[i]));
        free(all[i]);
    }
    memset(p, 0, sizeof(*p));
}
