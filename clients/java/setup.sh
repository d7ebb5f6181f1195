#!/usr/bin/env bash
# What the Java client is built with: a JDK 17 or later, and Maven with its plugins from Debian.
source "$(dirname "${BASH_SOURCE[0]}")/../../.make/common.sh"

# The first JDK on the path that is new enough; Debian's own otherwise.
has_jdk() {
  local version
  version=$(javac -version 2>/dev/null | sed -n 's/^javac \([0-9]*\).*/\1/p')
  [ -n "$version" ] && [ "$version" -ge 17 ] && command -v javadoc >/dev/null
}

if ! command -v apt-get >/dev/null && { ! has_jdk || ! command -v mvn >/dev/null; }; then
  echo "no JDK 17 and Maven, and no apt-get to install them with" >&2
  exit 3
fi
packages=(maven libprotobuf-java junit4 libsurefire-java libmaven-compiler-plugin-java
  libmaven-resources-plugin-java libmaven-jar-plugin-java)
has_jdk || packages+=(default-jdk-headless)
(install_packages "${packages[@]}") || exit 3
has_jdk || {
  echo "Debian's default JDK is older than 17" >&2
  exit 3
}
