#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# certificates.sh DIR: makes in DIR (which must exist) what a server and a client need for TLS in the tests, new each
# time:
#
#   ca.crt                      the CA that signed the next five
#   server.crt, server.key      for 127.0.0.1, localhost and redis.test
#   named.crt, named.key        for redis.test alone
#   expired.crt, expired.key    as server.crt, but over since yesterday
#   client.crt, client.key      for a client; client.pem is both in one file
#   other-ca.crt                a CA that signed nothing of these
#   stranger.crt, stranger.key  for a client, by that CA
set -eu
cd "${1:?usage: certificates.sh DIR}"

# ca NAME
ca() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$1 of the tests" \
        -keyout "$1.key" -out "$1.crt" 2> /dev/null
}

# leaf CA NAME EXTENSIONS [OPTION]...
leaf() {
    signer=$1
    name=$2
    printf '%s\n' "$3" > "$name.ext"
    shift 3
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" -keyout "$name.key" \
        -out "$name.csr" 2> /dev/null
    openssl x509 -req -in "$name.csr" -CA "$signer.crt" -CAkey "$signer.key" -CAcreateserial -extfile "$name.ext" \
        -out "$name.crt" "$@" 2> /dev/null
    rm -f "$name.csr" "$name.ext"
}

ca ca
ca other-ca
leaf ca server 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:redis.test' -days 2
leaf ca named 'subjectAltName=DNS:redis.test' -days 2
leaf ca expired 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:redis.test' -days -1
leaf ca client 'extendedKeyUsage=clientAuth' -days 2
leaf other-ca stranger 'extendedKeyUsage=clientAuth' -days 2
cat client.crt client.key > client.pem
chmod 644 ./*.crt ./*.key ./*.pem # a server under another uid reads them
