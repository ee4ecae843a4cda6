/* SPDX-License-Identifier: Apache-2.0 */
/* server_facts.h: what is known about the server a backup came from: plain data that travels into the manifest. No
 * secret is ever in it. */
#ifndef SNAPSHOT_REDIS_SERVER_FACTS_H
#define SNAPSHOT_REDIS_SERVER_FACTS_H

#include <stdbool.h>
#include <stdint.h>

/* Configuration that a restore has to know. "" where CONFIG GET was not allowed or the server has no such setting. */
struct server_config {
    char dir[512];
    char dbfilename[256];
    char appendonly[8];
    char appenddirname[256];
    char appendfilename[256];
    char databases[24];
    char maxmemory[24];
    char save[256];
    char cluster_enabled[8];
    char rdbcompression[8];
};

struct server_facts {
    bool known;       /* false: there was no server to ask; all else is empty */
    char kind[8];     /* "redis" or "valkey" */
    char version[32]; /* the server's own: valkey_version on Valkey, whose redis_version stays at 7.2.4 */
    char run_id[48];
    char role[8]; /* "master" or "replica" */
    char host[256];
    char address[300]; /* what we connected to, without user and password */
    bool config_known; /* false: CONFIG GET was denied or renamed */
    struct server_config config;
    /* The point in the replication stream that the dump stands for, as +FULLRESYNC told it; INFO's are no such thing.
     */
    char repl_id[48]; /* "": not told, and the offset means nothing */
    int64_t repl_offset;
    char modules[512]; /* names of loaded modules, comma-separated; "" when none or not known */
};

#endif
