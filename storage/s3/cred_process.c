/* SPDX-License-Identifier: Apache-2.0 */
/* cred_process.c: a profile's credential_process, see cred_links.h. No shell is involved: images like ours have none.
 * What the program writes to stderr goes where ours goes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "base/sig.h"
#include "storage/s3/cred_links.h"

#define PEER       "credential_process"
#define OUTPUT_MAX 65536
#define TIMEOUT_MS 60000
#define SLICE_MS   100

/* ---- words ---- */

void
cred_process_words_free(char **words)
{
    for (char **w = words; words != NULL && *w != NULL; w++)
        cred_wipe_free(*w);
    free(words);
}

/* The word that begins at *AT, into OUT; *AT goes behind it. False: a quote is left open. */
static bool
take_word(const char **at, char *out)
{
    char quote = '\0';

    for (; **at != '\0' && (quote != '\0' || strchr(" \t", **at) == NULL); (*at)++) {
        char c = **at;

        if (quote == '\0' && (c == '\'' || c == '"')) {
            quote = c;
        } else if (c == quote) {
            quote = '\0';
        } else if (c == '\\' && (quote == '\0' || (quote == '"' && strchr("\"\\", (*at)[1]) != NULL)) &&
                   (*at)[1] != '\0') {
            *out++ = *++*at;
        } else {
            *out++ = c;
        }
    }
    *out = '\0';
    return quote == '\0';
}

char **
cred_process_words(const char *command, struct err *err)
{
    char **words = mem_array(strlen(command) / 2 + 2, sizeof(*words));
    char *word = mem_new(strlen(command) + 1);
    size_t count = 0;
    bool whole = true;

    for (;;) {
        command += strspn(command, " \t");
        if (*command == '\0' || !whole)
            break;
        whole = take_word(&command, word);
        words[count++] = mem_strdup(word);
    }
    cred_wipe_free(word);
    if (whole && count > 0)
        return words;
    cred_process_words_free(words);
    (void)err_set(err, ERR_USAGE, PEER " is empty, or has a quote without its end");
    return NULL;
}

/* ---- the program ---- */

/* In a group of its own, so that all of it can be ended; its stdout is FD. An errno. */
static int
start(char **words, int fd, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t ours, none;
    int rc;

    REQUIRE(posix_spawn_file_actions_init(&actions) == 0 && posix_spawnattr_init(&attr) == 0);
    REQUIRE(sigemptyset(&ours) == 0 && sigaddset(&ours, SIGPIPE) == 0 && sigemptyset(&none) == 0);
    if ((rc = posix_spawnattr_setflags(&attr,
                                       POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)) == 0 &&
        (rc = posix_spawnattr_setpgroup(&attr, 0)) == 0 && (rc = posix_spawnattr_setsigdefault(&attr, &ours)) == 0 &&
        (rc = posix_spawnattr_setsigmask(&attr, &none)) == 0 &&
        (rc = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)) == 0 &&
        (rc = posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO)) == 0)
        rc = posix_spawnp(pid, words[0], &actions, &attr, words, environ);
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&actions);
    return rc;
}

static int
in_time(int64_t until_ms, struct err *err)
{
    if (sig_check(err) < 0)
        return -1;
    if (clock_mono_ms() < until_ms)
        return 0;
    return err_set(err, ERR_STORAGE, PEER " did not end within %d s", TIMEOUT_MS / 1000);
}

static int
read_output(int fd, int64_t until_ms, struct buf *out, struct err *err)
{
    char piece[4096];
    int rc = 0;

    while (rc == 0) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t n;

        if (in_time(until_ms, err) < 0) {
            rc = -1;
            break;
        }
        if (poll(&p, 1, SLICE_MS) <= 0)
            continue;
        n = read(fd, piece, sizeof(piece));
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR)
            rc = err_sys(err, ERR_INTERNAL, errno, "the output of " PEER " cannot be read");
        else if (n > 0 && buf_append(out, piece, (size_t)n, err) < 0)
            rc = err_set(err, ERR_STORE_DENIED, PEER " wrote more than %d bytes", OUTPUT_MAX);
    }
    mem_wipe(piece, sizeof(piece));
    return rc;
}

static int
wait_for(pid_t pid, const char *program, int64_t until_ms, struct err *err)
{
    int status = 0;

    for (;;) {
        pid_t ended = waitpid(pid, &status, WNOHANG);

        if (ended == pid)
            break;
        if (ended < 0 && errno != EINTR)
            return err_sys(err, ERR_INTERNAL, errno, "the end of " PEER " cannot be waited for");
        if (in_time(until_ms, err) < 0)
            return -1;
        clock_sleep_ms(5);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return err_set(err, ERR_STORE_DENIED, PEER " (%s) ended with %s %d", program,
                   WIFEXITED(status) ? "exit status" : "signal",
                   WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static int
run(char **words, struct buf *out, struct err *err)
{
    int64_t until_ms = clock_mono_ms() + TIMEOUT_MS;
    int fds[2], rc;
    pid_t pid = 0;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return err_sys(err, ERR_INTERNAL, errno, "a pipe for " PEER);
    rc = start(words, fds[1], &pid);
    (void)close(fds[1]);
    if (rc != 0) {
        (void)close(fds[0]);
        return err_set(err, ERR_STORE_DENIED, PEER " cannot be run: %s: %s", words[0], strerror(rc));
    }
    rc = read_output(fds[0], until_ms, out, err);
    (void)close(fds[0]);
    if (rc == 0)
        rc = wait_for(pid, words[0], until_ms, err);
    if (rc < 0) { /* fails where it has ended already: then its group is gone, or what is left of it goes */
        (void)kill(-pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
    }
    return rc;
}

static int
take(const struct buf *out, struct grant *g, struct err *err)
{
    struct err unused = ERR_INIT;
    json_t *object = json_read_object(out->data, out->len, &unused);
    bool known = object != NULL && json_opt_u64(object, "Version", 0) == 1;

    json_decref(object);
    if (!known)
        return err_set(err, ERR_STORE_DENIED, PEER " did not write a JSON object of \"Version\": 1");
    return grant_take_json(
        g,
        &(struct grant_json){
            .data = out->data, .len = out->len, .token_name = "SessionToken", .issuer_now_ms = clock_wall_ms()},
        PEER, err);
}

int
cred_process_ask(const char *command, struct grant *g, struct err *err)
{
    char **words = cred_process_words(command, err);
    struct buf out;
    int rc;

    if (words == NULL)
        return -1;
    buf_init(&out, OUTPUT_MAX);
    rc = run(words, &out, err);
    if (rc == 0)
        rc = out.len > 0 ? take(&out, g, err) : err_set(err, ERR_STORE_DENIED, PEER " wrote nothing");
    if (out.data != NULL)
        mem_wipe(out.data, out.len);
    buf_fini(&out);
    cred_process_words_free(words);
    return rc < 0 ? -1 : 1;
}
