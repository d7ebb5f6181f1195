#!/usr/bin/env bash
# What only the end-to-end tests need: PostgreSQL 15 (the oldest that Hito runs on) with pgvector, PgBouncer
# and RabbitMQ. All are private copies of Debian's packages, beside the other components:
# nothing is started, and the system gets run-time libraries and tshark only. Idempotent. A machine without apt goes
# without; the tests that need them say so.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if ! command -v apt-get >/dev/null; then
  note "no apt-get here: tests with PostgreSQL $POSTGRES_DEBIAN_MAJOR and PgBouncer will be skipped"
  exit 0
fi

# Reads captures with docs/wireshark/hito.lua; its tests are skipped without it.
if ! command -v tshark >/dev/null && is_root; then
  install_packages tshark
fi
"$REPO/.make/setup-conformance.sh"
"$REPO/.make/setup-rabbitmq.sh"
"$REPO/.make/setup-postgres-debian.sh" "postgres-$POSTGRES_DEBIAN_MAJOR"

component=$(pgbouncer_component)
stamp=$(pgbouncer_stamp)
find_component "$component" "$stamp" >/dev/null && exit 0
install_packages libc-ares2 libevent-2.1-7 libpam0g libssl3 libsystemd0
lock_components
find_component "$component" "$stamp" >/dev/null && exit 0  # another clone was faster
note "installing PgBouncer from Debian in $(components_root)"
work=$(mktemp -d "$(components_root)/.pgbouncer.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"  # apt downloads as a user of its own
cd "$work"
"${APT[@]}" download pgbouncer 2>/dev/null \
  || { "${APT[@]}" update && "${APT[@]}" download pgbouncer; } \
  || die "could not fetch PgBouncer from Debian" "is the network there?"
mkdir -p root/bin binary
dpkg --extract ./pgbouncer_*.deb binary
mv binary/usr/sbin/pgbouncer root/bin/
root/bin/pgbouncer --version >/dev/null || die "Debian's PgBouncer does not run here"
printf '%s\n' "$stamp" > root/.stamp
publish_component "$work/root" "$component" pgbouncer
