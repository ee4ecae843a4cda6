/* SPDX-License-Identifier: Apache-2.0 */
/* routes.c: what the agent serves; docs/openapi.json describes it, but for the page. */
#include "agent/sidecar/web.h"

const struct web_route sidecar_routes[] = {
    {"GET", "/", false, web_page},
    {"GET", "/healthz", false, web_healthz},
    {"GET", "/readyz", false, web_readyz},
    {"GET", "/metrics", false, web_metrics},
    {"GET", "/api/v1/status", false, api_status},
    {"GET", "/api/v1/backups", false, api_backups},
    {"POST", "/api/v1/backups", true, api_backup_post},
    {"GET", "/api/v1/jobs/", false, api_job},
    {NULL, NULL, false, NULL},
};
