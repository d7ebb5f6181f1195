#!/bin/sh
# Certificates for tests/peer.ts, into the folder that is named: an authority, a server for 127.0.0.1, a client, and an
# authority that nobody trusts.
set -eu
cd "$1"
new="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
for name in ca stranger; do
  # shellcheck disable=SC2086 # options
  openssl req -x509 $new -keyout "$name-key.pem" -out "$name.pem" -subj "/CN=Test $name" 2>/dev/null
done
issue() {
  # shellcheck disable=SC2086 # options
  openssl req -x509 $new -keyout "$1-key.pem" -out "$1.pem" -subj "/CN=$1" -CA ca.pem -CAkey ca-key.pem \
    -addext "subjectAltName=$2" -addext basicConstraints=critical,CA:FALSE 2>/dev/null
}
issue server IP:127.0.0.1
issue client DNS:client.test
