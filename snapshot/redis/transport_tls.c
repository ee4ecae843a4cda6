/* SPDX-License-Identifier: Apache-2.0 */
/* transport_tls.c: see transport_tls.h. */
#include "snapshot/redis/transport_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

struct transport_tls {
    struct transport base;
    SSL_CTX *context;
    SSL *ssl;
    char *name; /* that the certificate must carry */
    bool has_cert;
};

/* ---- failures in words ------------------------------------------------------------------------------------------ */

/* The chain or the name of the server's certificate. */
static int
explain_verification(const struct transport_tls *t, long verdict, struct err *err)
{
    switch (verdict) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return err_set(err, ERR_SERVER,
                       "the server's certificate is not for \"%s\": connect by a name that it carries, or say with "
                       "--tls-server-name which one it is",
                       t->name);
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return err_set(
            err, ERR_SERVER,
            "the server's certificate, or that of its CA, has expired: renew it (or is the clock here wrong?)");
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return err_set(err, ERR_SERVER, "the server's certificate is not valid yet: is the clock here wrong?");
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        return err_set(err, ERR_SERVER,
                       "the server's certificate is not signed by a CA that is trusted here (%s): give the CA's "
                       "certificate with --tls-ca",
                       X509_verify_cert_error_string(verdict));
    default:
        return err_set(err, ERR_SERVER, "the server's certificate is refused: %s",
                       X509_verify_cert_error_string(verdict));
    }
}

/* Alerts by which a server refuses our certificate, or that we have none. */
static bool
is_refused_by_peer(int reason)
{
    static const int alerts[] = {
        SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED,
        SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
        SSL_R_TLSV1_ALERT_UNKNOWN_CA,
        SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
        SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
        SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED,
        SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN,
        SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
        SSL_R_TLSV1_ALERT_ACCESS_DENIED,
    };

    for (size_t i = 0; i < ARRAY_LEN(alerts); i++) {
        if (reason == alerts[i])
            return true;
    }
    return false;
}

/* Does the failure CODE come from the socket, and not from TLS? */
static bool
is_of_the_socket(unsigned long code)
{
    return code == 0 || ERR_SYSTEM_ERROR(code);
}

/* What the last failure in OpenSSL's queue means; SAVED is errno at that time. */
static int
explain(const struct transport_tls *t, int saved, struct err *err)
{
    unsigned long code = ERR_peek_last_error();
    int reason = ERR_GET_REASON(code);
    long verdict = SSL_get_verify_result(t->ssl);

    if (is_of_the_socket(code))
        return err_sys(err, ERR_SERVER, saved != 0 ? saved : ECONNRESET, "the connection was lost");
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
        return explain_verification(t, verdict, err);
    if (is_refused_by_peer(reason) && !t->has_cert)
        return err_set(err, ERR_SERVER_DENIED,
                       "the server refused the connection (%s); it most likely wants a client certificate: give "
                       "--tls-cert and --tls-key",
                       ERR_reason_error_string(code));
    if (is_refused_by_peer(reason))
        return err_set(err, ERR_SERVER_DENIED,
                       "the server does not take the client certificate of --tls-cert (%s): is it signed by the CA "
                       "that the server trusts, and still valid?",
                       ERR_reason_error_string(code));
    if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST)
        return err_set(err, ERR_SERVER,
                       "what answers there does not speak TLS: is that the server's TLS port? (redis:// is for the "
                       "port without TLS)");
    return err_set(err, ERR_SERVER, "%s",
                   ERR_reason_error_string(code) != NULL ? ERR_reason_error_string(code) : "failed");
}

/* ---- the transport ---------------------------------------------------------------------------------------------- */

/* What came of an SSL_*() call that returned RC (not a success). */
static enum transport_step
judge(const struct transport_tls *t, int rc, struct err *err)
{
    int saved = errno;

    switch (SSL_get_error(t->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
        return TRANSPORT_WANTS_INPUT;
    case SSL_ERROR_WANT_WRITE:
        return TRANSPORT_WANTS_OUTPUT;
    default:
        (void)explain(t, saved, err);
        return TRANSPORT_FAILED;
    }
}

static enum transport_step
tls_read(struct transport *base, void *buf, size_t len, size_t *got, struct err *err)
{
    const struct transport_tls *t = (const struct transport_tls *)base;
    int rc;

    ERR_clear_error();
    errno = 0;
    rc = SSL_read_ex(t->ssl, buf, len, got);
    if (rc > 0)
        return TRANSPORT_DONE;
    if (SSL_get_error(t->ssl, rc) == SSL_ERROR_ZERO_RETURN) {
        *got = 0;
        return TRANSPORT_DONE;
    }
    return judge(t, rc, err);
}

static enum transport_step
tls_write(struct transport *base, const void *buf, size_t len, size_t *put, struct err *err)
{
    const struct transport_tls *t = (const struct transport_tls *)base;
    enum transport_step step;
    int rc;

    ERR_clear_error();
    errno = 0;
    rc = SSL_write_ex(t->ssl, buf, len, put);
    if (rc > 0)
        return TRANSPORT_DONE;
    step = judge(t, rc, err);
    if (step == TRANSPORT_FAILED && is_of_the_socket(ERR_peek_last_error())) {
        /* The server may have said why before it closed: with TLS 1.3 it sees our certificate, or that there is none,
         * only after we believe that all is well. */
        char ignored[1];
        size_t got = 0;

        if (tls_read(base, ignored, sizeof(ignored), &got, err) != TRANSPORT_FAILED)
            (void)err_set(err, ERR_SERVER, "the connection was lost: the server closed it");
    }
    return step;
}

static void
tls_free(struct transport *base)
{
    struct transport_tls *t = (struct transport_tls *)base;

    /* No farewell: it could block, and nobody waits for it. */
    SSL_free(t->ssl);
    SSL_CTX_free(t->context);
    ERR_clear_error();
    (void)close(t->base.fd);
    free(t->name);
    free(t);
}

static const struct transport_ops tls_ops = {.read = tls_read, .write = tls_write, .free = tls_free};

/* ---- opening ---------------------------------------------------------------------------------------------------- */

/* A file of the user's that OpenSSL does not take. */
static int
bad_file(const char *option, const char *path, const char *what, struct err *err)
{
    unsigned long code = ERR_peek_error();

    if (ERR_SYSTEM_ERROR(code))
        return err_sys(err, ERR_USAGE, ERR_GET_REASON(code), "%s %s", option, path);
    return err_set(err, ERR_USAGE, "%s %s: %s", option, path, what);
}

/* Nobody is there to type one. */
static int
no_passphrase(char *buf, int size, int writing, void *cookie)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)cookie;
    return 0;
}

static int
load_ca(SSL_CTX *context, const char *path, struct err *err)
{
    struct stat st;
    bool is_dir;

    if (path == NULL)
        return SSL_CTX_set_default_verify_paths(context) == 1
                   ? 0
                   : err_set(err, ERR_INTERNAL, "the system's list of trusted CAs cannot be used: give --tls-ca");
    if (stat(path, &st) < 0)
        return err_sys(err, ERR_USAGE, errno, "--tls-ca %s", path);
    is_dir = S_ISDIR(st.st_mode);
    if (SSL_CTX_load_verify_locations(context, is_dir ? NULL : path, is_dir ? path : NULL) == 1)
        return 0;
    return bad_file("--tls-ca", path, "no certificate in PEM form can be read from it", err);
}

static int
load_certificate(SSL_CTX *context, const struct endpoint_tls *files, struct err *err)
{
    const char *key = files->key != NULL ? files->key : files->cert;

    if (files->cert == NULL)
        return 0;
    if (SSL_CTX_use_certificate_chain_file(context, files->cert) != 1)
        return bad_file("--tls-cert", files->cert, "no certificate in PEM form can be read from it", err);
    ERR_clear_error();
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1)
        return 0;
    return bad_file("--tls-key", key,
                    "no key in PEM form can be read from it that is not encrypted and belongs to the certificate", err);
}

static SSL_CTX *
make_context(const struct endpoint_tls *files, struct err *err)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
        (void)err_set(err, ERR_INTERNAL, "OpenSSL cannot be set up");
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    (void)SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
    (void)SSL_CTX_set_mode(context,
                           SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
    if (load_ca(context, files->ca, err) < 0 || load_certificate(context, files, err) < 0) {
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}

static bool
is_address(const char *name)
{
    struct in6_addr any;

    return inet_pton(AF_INET, name, &any) == 1 || inet_pton(AF_INET6, name, &any) == 1;
}

/* The name to verify; as server name indication only where it is a name. (Not const: OpenSSL's macro casts it away.) */
static bool
set_name(SSL *ssl, char *name)
{
    if (is_address(name))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

static int
shake_hands(struct transport_tls *t, int64_t deadline_ms, struct err *err)
{
    for (;;) {
        enum transport_step step;
        int rc;

        ERR_clear_error();
        errno = 0;
        rc = SSL_connect(t->ssl);
        if (rc == 1)
            return 0;
        step = judge(t, rc, err);
        if (step == TRANSPORT_FAILED)
            return -1;
        if (transport_wait(&t->base, step, deadline_ms, err) < 0) {
            if (err->sys == ETIMEDOUT)
                (void)err_wrap(err, "the handshake (does that port speak TLS?)");
            return -1;
        }
    }
}

struct transport *
transport_tls_open(const struct endpoint *e, int fd, int64_t deadline_ms, struct err *err)
{
    const char *name = e->tls_files.server_name != NULL ? e->tls_files.server_name : e->host;
    struct transport_tls *t = mem_new(sizeof(*t));

    t->base.ops = &tls_ops;
    t->base.fd = fd;
    t->name = mem_strdup(name);
    t->has_cert = e->tls_files.cert != NULL;
    ERR_clear_error();
    t->context = make_context(&e->tls_files, err);
    if (t->context == NULL)
        goto fail;
    t->ssl = SSL_new(t->context);
    if (t->ssl == NULL || SSL_set_fd(t->ssl, fd) != 1 || !set_name(t->ssl, t->name)) {
        (void)err_set(err, ERR_USAGE, "\"%s\" cannot be used as the server's name", name);
        goto fail;
    }
    if (shake_hands(t, deadline_ms, err) < 0)
        goto fail;
    return &t->base;
fail:
    tls_free(&t->base);
    return NULL;
}
