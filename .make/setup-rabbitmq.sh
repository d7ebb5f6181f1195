#!/usr/bin/env bash
# RabbitMQ for the end-to-end tests and `make bench-bus`: a private copy of Debian's packages of it and of
# Erlang, beside the other components. So no broker of the system's is started, now or at the next boot,
# and no user is made for it. Checked by apt's signatures. Idempotent.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

component=$(rabbitmq_component)
stamp=$(rabbitmq_stamp)
find_component "$component" "$stamp" >/dev/null && exit 0
if ! command -v apt-get >/dev/null; then
  note "no apt-get here: tests with RabbitMQ will be skipped"
  exit 0
fi

packages=(rabbitmq-server)
for part in base asn1 crypto eldap inets mnesia os-mon parsetools public-key runtime-tools ssl \
  syntax-tools tools xmerl; do
  packages+=("erlang-$part")
done
install_packages libssl3 libstdc++6 libsystemd0 libtinfo6 zlib1g
lock_components
find_component "$component" "$stamp" >/dev/null && exit 0  # another clone was faster
note "installing RabbitMQ from Debian in $(components_root)"
work=$(mktemp -d "$(components_root)/.rabbitmq.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"  # apt downloads as a user of its own
cd "$work"
"${APT[@]}" download "${packages[@]}" 2>/dev/null \
  || { "${APT[@]}" update && "${APT[@]}" download "${packages[@]}"; } \
  || die "could not fetch RabbitMQ from Debian" "is the network there?"
mkdir -p root unpacked
for package in ./*.deb; do dpkg --extract "$package" unpacked; done
mv unpacked/usr/lib/erlang root/erlang
mv unpacked/usr/lib/rabbitmq/lib/rabbitmq_server-* root/rabbitmq
# Its scripts know one place only.
place=$(components_root)/$component/erlang
sed -i "s#/usr/lib/erlang#$place#g" root/erlang/bin/erl root/erlang/bin/start \
  root/erlang/erts-*/bin/erl root/erlang/erts-*/bin/start root/erlang/releases/RELEASES
for program in root/erlang/erts-*/bin/epmd; do ln -sf "../${program#root/erlang/}" root/erlang/bin/epmd; done
printf '%s\n' "$stamp" > root/.stamp
publish_component "$work/root" "$component" rabbitmq
"$(components_root)/rabbitmq/erlang/bin/erl" -noshell -eval 'halt(0).' \
  || die "Debian's Erlang does not run here"
