#!/usr/bin/env bash
# Arrow C++ (headers, shared libraries, .pc files) out of the pyarrow wheel. No Python at run time.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

component=$(arrow_component)
stamp=$(arrow_stamp)
find_component "$component" "$stamp" >/dev/null && exit 0
lock_components
find_component "$component" "$stamp" >/dev/null && exit 0  # another clone was faster

root=$(components_root)
note "installing Arrow C++ $ARROW_VERSION in $root"
work=$(mktemp -d "$root/.arrow.XXXXXX")
trap 'rm -rf "$work"' EXIT
# Any CPython will do, the C++ libraries are the same; one is named so that one hash is enough.
download_wheel "$work" "pyarrow==$ARROW_VERSION" "${ARROW_WHEEL_SHA256[$ARCHITECTURE]}" \
  --implementation cp --python-version 3.11 --abi cp311 --platform "manylinux_2_28_$ARCHITECTURE"
"$REPO/.venv/bin/python" -m zipfile -e "$work"/pyarrow-*.whl "$work/wheel"

built=$work/root
mkdir -p "$built/lib/pkgconfig" "$built/share/licenses"
mv "$work/wheel/pyarrow/include" "$built/include"
mv "$work/wheel/pyarrow-$ARROW_VERSION.dist-info/licenses"/* "$built/share/licenses/"
for library in arrow arrow_compute arrow_acero arrow_dataset parquet; do
  file=lib$library.so.$ARROW_SO_VERSION
  install -m 0644 "$work/wheel/pyarrow/$file" "$built/lib/$file"
  ln -s "$file" "$built/lib/lib$library.so"
done

# The wheel's libparquet brings an OpenSSL of its own, which must stay invisible to ours.
"$REPO/.venv/bin/python" "$REPO/.make/isolate-arrow.py" "$built/lib/libparquet.so" >/dev/null \
  || die "could not isolate the OpenSSL inside of libparquet"

# The names of Apache's own development packages, so that those serve as well.
write_pc() {
  local name=$1 library=$2 requires=$3
  cat > "$built/lib/pkgconfig/$name.pc" <<PC
prefix=\${pcfiledir}/../..
includedir=\${prefix}/include
libdir=\${prefix}/lib

Name: $name
Description: Apache Arrow C++ ($name), from the wheel pyarrow $ARROW_VERSION
Version: $ARROW_VERSION
Requires: $requires
Libs: -L\${libdir} -l$library
Cflags: -I\${includedir}
PC
}
write_pc arrow arrow ""
write_pc arrow-compute arrow_compute arrow
write_pc arrow-acero arrow_acero "arrow-compute arrow"
write_pc parquet parquet arrow
write_pc arrow-dataset arrow_dataset "arrow-acero parquet arrow-compute arrow"

# The libraries must find each other and the system's: nothing may be left over.
if ldd "$built"/lib/lib*.so."$ARROW_SO_VERSION" | grep 'not found' >&2; then
  die "the Arrow libraries of pyarrow $ARROW_VERSION do not load on this system"
fi
printf '%s\n' "$stamp" > "$built/.stamp"
publish_component "$built" "$component" arrow
