/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_init.c: `remora init`. */
#include "agent/cmd.h"
#include "agent/open_repo.h"
#include "snapshot/repo/layout.h"

static int
report_json(const struct config *config, const struct repo *repo, const struct repo_made *made, struct output *out,
            struct err *err)
{
    json_t *object = json_object(), *repository = json_object(), *instance = json_null();

    output_add_text(object, "command", "init");
    output_add_text(repository, "id", repo->id);
    output_add(repository, "made", json_boolean(made->repository));
    output_add(object, "repository", repository);
    if (config->instance != NULL) {
        instance = json_object();
        output_add_text(instance, "name", config->instance);
        output_add(instance, "made", json_boolean(made->instance));
    }
    output_add(object, "instance", instance);
    return output_json_take(out, object, err);
}

static int
report(const struct config *config, const struct repo *repo, const struct repo_made *made, struct output *out,
       struct err *err)
{
    if (out->json)
        return report_json(config, repo, made, out, err);
    if (output_text(out, err, "%s repository %s at %s\n", made->repository ? "made" : "found", repo->id,
                    store_url(repo->store)) < 0)
        return -1;
    if (config->instance == NULL)
        return 0;
    return output_text(out, err, "%s instance %s\n", made->instance ? "made" : "found", config->instance);
}

int
cmd_init(const struct config *config, struct output *out, struct err *err)
{
    struct repo_made made = {0};
    struct repo repo;
    struct store *store;
    int rc = -1;

    if (config->instance != NULL && layout_check_instance(config->instance, err) < 0)
        return err_wrap(err, "--instance");
    store = open_repo_store(config, OPEN_REPO_CREATE, err);
    if (store == NULL)
        return -1;
    if (repo_init(store, config->instance, &made, err) == 0 && repo_open(store, &repo, err) == 0)
        rc = report(config, &repo, &made, out, err);
    store_free(store);
    return rc;
}
