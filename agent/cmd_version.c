/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_version.c: `remora version`: ours, and those of the libraries as they are loaded. */
#include <jansson.h>

#include "agent/cmd.h"
#include "base/digest.h"
#include "snapshot/redis/resp.h"
#include "snapshot/repo/repo.h"
#include "snapshot/repo/segment.h"
#include "storage/s3/http.h"

int
cmd_version(const struct config *config, struct output *out, struct err *err)
{
    const struct {
        const char *name, *version;
    } libraries[] = {
        {"hiredis", resp_library_version()},   {"jansson", jansson_version_str()},  {"libcurl", http_library_version()},
        {"openssl", digest_library_version()}, {"zstd", segment_library_version()},
    };
    json_t *object, *versions;

    (void)config;
    if (!out->json) {
        if (output_text(out, err, "remora %s (repository format %d)\n", REMORA_VERSION, REPO_FORMAT_VERSION) < 0)
            return -1;
        for (size_t i = 0; i < ARRAY_LEN(libraries); i++)
            if (output_text(out, err, "%s %s\n", libraries[i].name, libraries[i].version) < 0)
                return -1;
        return 0;
    }
    object = json_object();
    versions = json_object();
    output_add_text(object, "command", "version");
    output_add_text(object, "version", REMORA_VERSION);
    output_add_count(object, "repository_format", REPO_FORMAT_VERSION);
    for (size_t i = 0; i < ARRAY_LEN(libraries); i++)
        output_add_text(versions, libraries[i].name, libraries[i].version);
    output_add(object, "libraries", versions);
    return output_json_take(out, object, err);
}
