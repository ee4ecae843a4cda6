/* SPDX-License-Identifier: Apache-2.0 */
/* restore_policy.c: see restore_policy.h. */
#include "agent/restore_policy.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"

#define WAIT "wait:"

static int
parse_unreachable(const char *text, struct restore_policy *p, struct err *err)
{
    if (strcmp(text, "fail") == 0) {
        p->unreachable = UNREACHABLE_FAIL;
    } else if (strcmp(text, "start-empty") == 0) {
        p->unreachable = UNREACHABLE_START_EMPTY;
    } else if (strncmp(text, WAIT, strlen(WAIT)) == 0) {
        p->unreachable = UNREACHABLE_WAIT;
        return units_parse_duration(text + strlen(WAIT), &p->wait_ms, err) < 0 ? err_wrap(err, "--if-unreachable") : 0;
    } else {
        return err_set(err, ERR_USAGE, "--if-unreachable \"%.60s\": it is fail, start-empty, or wait: and a duration",
                       text);
    }
    return 0;
}

bool
restore_policy_ordinal(const char *host_name, uint64_t *ordinal)
{
    const char *dash = strrchr(host_name, '-');
    struct err unused = ERR_INIT;

    return dash != NULL && units_parse_u64(dash + 1, ordinal, &unused) == 0;
}

int
restore_policy_pod(const struct config *config, const char *option, uint64_t *pod, struct err *err)
{
    char name[HOST_NAME_MAX + 1] = "";

    if (config->pod_index != NULL)
        return units_parse_u64(config->pod_index, pod, err) < 0 ? err_wrap(err, "--pod-index") : 0;
    if (gethostname(name, sizeof(name) - 1) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "ask for the host name");
    if (!restore_policy_ordinal(name, pod))
        return err_set(err, ERR_USAGE,
                       "%s: the host name \"%s\" does not end in a pod's number; give it with --pod-index", option,
                       name);
    return 0;
}

int
restore_policy_from(const struct config *config, struct restore_policy *p, struct err *err)
{
    memset(p, 0, sizeof(*p));
    if (parse_unreachable(config->if_unreachable, p, err) < 0)
        return -1;
    if (config->only_ordinal == NULL)
        return 0;
    if (units_parse_u64(config->only_ordinal, &p->only_pod, err) < 0)
        return err_wrap(err, "--only-ordinal");
    if (restore_policy_pod(config, "--only-ordinal", &p->pod, err) < 0)
        return -1;
    p->other_pod = p->pod != p->only_pod;
    return 0;
}
