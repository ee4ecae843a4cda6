/* SPDX-License-Identifier: Apache-2.0 */
/* main.c: hardens the process, reads the command line, runs the command, tells its error once, and exits. */
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/cmd.h"
#include "agent/help.h"
#include "agent/metrics_file.h"
#include "agent/open_store.h"
#include "agent/options.h"
#include "agent/tell.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/sig.h"
#include "snapshot/repo/layout.h"

static cmd_fn *const commands[COMMAND_COUNT] = {
    [COMMAND_INIT] = cmd_init,       [COMMAND_BACKUP] = cmd_backup,   [COMMAND_RESTORE] = cmd_restore,
    [COMMAND_LIST] = cmd_list,       [COMMAND_SHOW] = cmd_show,       [COMMAND_VERIFY] = cmd_verify,
    [COMMAND_PRUNE] = cmd_prune,     [COMMAND_DELETE] = cmd_delete,   [COMMAND_HOLD] = cmd_hold,
    [COMMAND_RELEASE] = cmd_release, [COMMAND_ACCEPT] = cmd_accept,   [COMMAND_EXPORT] = cmd_export,
    [COMMAND_IMPORT] = cmd_import,   [COMMAND_COPY] = cmd_copy,       [COMMAND_INSPECT] = cmd_inspect,
    [COMMAND_AGENT] = cmd_agent,     [COMMAND_TRIGGER] = cmd_trigger, [COMMAND_CHECK] = cmd_check,
    [COMMAND_VERSION] = cmd_version, [COMMAND_HELP] = cmd_help,
};

/* Passwords and customers' data pass through this process: no core dump, and no debugger of another process of the same
 * user. A standard descriptor that is closed would be given to the next file that is opened, which then gets our
 * output: it is held open, in a direction in which using it fails. */
static void
harden(void)
{
    static const int modes[] = {O_WRONLY, O_RDONLY, O_WRONLY};
    const struct rlimit none = {0, 0};

    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
            _exit(err_exit_status(ERR_INTERNAL));
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* What remora without arguments says. */
static int
short_usage(struct err *err)
{
    struct output to_stderr = {.fd = STDERR_FILENO};
    struct buf text;

    buf_init(&text, OUTPUT_MAX);
    if (help_short(&text, err) == 0 && output_buf(&to_stderr, &text, err) == 0)
        (void)err_set(err, ERR_USAGE, "no command was given");
    buf_fini(&text);
    return err_exit_status(err->code);
}

/* On stderr, to an agent that runs us, and as an object on stdout where JSON is wanted and no result stands there. */
static void
tell_failure(const struct config *config, struct output *out, const struct err *failure)
{
    struct err unused = ERR_INIT;
    const char *command = command_get(config->command)->name;

    log_error(failure->msg, LOG_S("command", *command != '\0' ? command : "-"), LOG_S("code", err_name(failure->code)),
              LOG_I("exit_status", err_exit_status(failure->code)));
    tell_error(failure);
    if (out->json && !out->wrote && output_json_take(out, output_failure(command, failure), &unused) < 0)
        return; /* stdout is gone; stderr has it, and so has the exit status */
}

/* --metrics-file. Whatever comes of it, the exit status is that of the command. */
static void
write_metrics(const struct config *config, const struct output *out, int64_t started_ms, int64_t duration_ms,
              int exit_status)
{
    const struct metrics_run run = {.instance = config->instance,
                                    .kind = config->command == COMMAND_BACKUP   ? WORK_BACKUP
                                            : config->command == COMMAND_VERIFY ? WORK_VERIFY
                                                                                : WORK_PRUNE,
                                    .started_ms = started_ms,
                                    .ended_ms = clock_wall_ms(),
                                    .duration_ms = duration_ms,
                                    .exit_status = exit_status,
                                    .made = out->made,
                                    .newest = out->newest,
                                    .verified_ms = out->verified_ms,
                                    .storage = open_store_counts()};
    struct err err = ERR_INIT;

    if (config->instance == NULL)
        (void)err_set(&err, ERR_USAGE, "without --instance it is not known whose they are");
    else if (layout_check_instance(config->instance, &err) == 0 &&
             metrics_file_write(config->metrics_file, &run, &err) == 0)
        return;
    log_warn("the metrics of this run could not be written", LOG_S("file", config->metrics_file),
             LOG_S("why", err.msg));
}

/* Run the command; its exit status. */
static int
run_command(const struct config *config, struct output *out, struct err *err)
{
    int64_t began_ms = clock_mono_ms(), started_ms = clock_wall_ms();
    int rc = commands[config->command](config, out, err);
    int exit_status = rc < 0 ? err_exit_status(err->code) : 0;

    if (rc < 0 && err->code == ERR_INTERRUPTED && sig_pending())
        (void)err_wrap(err, "`remora %s` did not finish", command_get(config->command)->name);
    if (rc < 0)
        tell_failure(config, out, err);
    if (config->metrics_file != NULL)
        write_metrics(config, out, started_ms, clock_mono_ms() - began_ms, exit_status);
    if (tell_is_on()) {
        const struct store_meter_counts counts = open_store_counts();

        tell_storage(&counts);
    }
    return exit_status;
}

int
main(int argc, char **argv)
{
    struct output out = {.fd = STDOUT_FILENO};
    struct err err = ERR_INIT;
    struct config config;
    int exit_status;

    harden();
    tell_start();
    sig_install();
    exit_status = options_parse(argc, argv, &config, &err) < 0 ? err_exit_status(err.code) : 0;
    log_setup(STDERR_FILENO, (enum log_format)config.log_format, (enum log_level)config.log_level);
    out.json = config.json;
    if (exit_status != 0)
        tell_failure(&config, &out, &err);
    else if (config.command == COMMAND_NONE)
        exit_status = short_usage(&err);
    else
        exit_status = run_command(&config, &out, &err);
    config_fini(&config);
    return exit_status;
}
