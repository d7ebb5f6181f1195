#!/usr/bin/env bash
# The way out for processors that cannot run the wheel: Debian's own PostgreSQL 15 and pgvector,
# built from Debian's source package of a later release, in a private folder. Only run-time
# libraries and a compiler are installed into the system. Everything is checked by apt's
# signatures; the mirror is the one that apt is set up with.
#
# setup-postgres-debian.sh [LINK]: the link to the component; `postgres` is what `hito serve` runs.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

link=${1:-postgres}
component=$(postgres_debian_component)
stamp=$(postgres_debian_stamp)
major=$POSTGRES_DEBIAN_MAJOR
find_component "$component" "$stamp" >/dev/null && exit 0

build_packages=(
  gcc libc6-dev make xz-utils tzdata
  libgssapi-krb5-2 libicu72 libldap-2.5-0 liblz4-1 libpam0g libpq5 libreadline8 libssl3
  libsystemd0 libuuid1 libxml2 libxslt1.1 libzstd1
)
install_packages "${build_packages[@]}"
apt=("${APT[@]}")

lock_components
find_component "$component" "$stamp" >/dev/null && exit 0  # another clone was faster
note "building PostgreSQL $major with pgvector from Debian packages in $(components_root)"
work=$(mktemp -d "$(components_root)/.postgres.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"  # apt downloads as a user of its own
cd "$work"

# The mirror as apt knows it: the main archive, not the security one.
mirror=$(apt-get indextargets --format '$(SITE) $(REPO_URI) $(CODENAME) $(COMPONENT)' \
  'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 2>/dev/null \
  | awk '$4 == "main" && $3 !~ /-/ { print $2; exit }')
[ -n "$mirror" ] || die "apt knows no Debian mirror" "run apt-get update and try again"

# A second apt of our own, with lists of its own: the system's sources stay as they are.
mkdir -p lists/partial cache/archives/partial binary
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
private_apt=("${apt[@]}"
  -o Dir::Etc::sourceparts=/dev/null -o "Dir::Etc::sourcelist=$work/source.list"
  -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache")
download_vector_source() {
  printf 'deb-src [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$1" > source.list
  "${private_apt[@]}" update 2>/dev/null \
    && "${private_apt[@]}" source --download-only pgvector 2>/dev/null
}
# The oldest that is enough comes last: sid has the fixes of 0.8.2 and later.
download_vector_source sid || { rm -f pgvector_*; download_vector_source trixie; } \
  || die "could not fetch the source of pgvector from Debian" "is the network there?"

binaries=("postgresql-$major" "postgresql-client-$major" "postgresql-server-dev-$major" libpq-dev)
"${apt[@]}" download "${binaries[@]}" 2>/dev/null \
  || { "${apt[@]}" update && "${apt[@]}" download "${binaries[@]}"; } \
  || die "could not fetch PostgreSQL $major from Debian"
for package in ./*.deb; do dpkg --extract "$package" binary; done

mkdir vector
tar --extract --file pgvector_*.orig.tar.* --directory vector --strip-components 1
programs=$work/binary/usr/lib/postgresql/$major/bin
# Without the flags of the make that runs this: it has no built-in rules, and pgvector 0.8.0 counts on them.
make_vector=(env --unset=MAKEFLAGS make --silent --directory vector with_llvm=no "PG_CONFIG=$programs/pg_config")
headers="-I$work/binary/usr/include/postgresql/$major/server -I$work/binary/usr/include/postgresql"
# OPTFLAGS is emptied: the default is -march=native, the very thing that brought us here.
"${make_vector[@]}" -j"$(nproc)" OPTFLAGS= "PG_CPPFLAGS=$headers" >make.log 2>&1 \
  || { tail -20 make.log >&2; die "pgvector did not build"; }
"${make_vector[@]}" install >>make.log 2>&1 || { tail -20 make.log >&2; die "pgvector did not install"; }

rm -rf binary/usr/include binary/usr/share/locale "binary/usr/share/postgresql/$major/man" \
  "binary/usr/lib/postgresql/$major/lib/bitcode"
rm -f "binary/usr/lib/postgresql/$major/lib"/llvmjit*
mkdir root
mv binary root/dist
ln -s "dist/usr/lib/postgresql/$major/bin" root/bin
ln -s "dist/usr/lib/postgresql/$major/lib" root/lib
ln -s "dist/usr/share/postgresql/$major" root/share
root/bin/postgres --version >/dev/null || die "Debian's PostgreSQL does not run here"
[ -f root/share/extension/vector.control ] || die "pgvector was built but is not where it belongs"
printf '%s\n' "$stamp" > root/.stamp
publish_component "$work/root" "$component" "$link"
