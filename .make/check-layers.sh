#!/usr/bin/env bash
# The house's layers (DESIGN, "The house"): what each target may import. Arrows point down only, a
# C module has one Swift importer, the event loops' types stay in Transport and in the HTTP client of
# Models, SQL in PostgresStore, and `public` is for what the client library hands out.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$REPO"

failed=0
refuse() {
  printf '%s\n' "$1" >&2
  failed=1
}

# What may be imported besides the standard library (Synchronization is a part of it): own modules
# and C, then packages. The system's modules (last line) are for every target that does not say
# "none".
declare -A allowed=(
  [Digits]=none
  [Threads]="Glibc"
  [Wire]=none
  [Domain]="Digits"
  [DescriptorJSON]="Digits"
  [RPC]="Wire Logging"
  [Contract]="RPC CMessages CProtobufC"
  [OpenSSL]="COpenSSL"
  [HTTPClient]="Threads CCurl"
  [Transport]="Wire RPC OpenSSL Logging NIOCore NIOPosix"
  [PostgresStore]="Domain Digits Threads CLibPQ Logging"
  [EventLake]="Domain Digits Threads CArrow Logging"
  [Models]="Domain Threads CEmbed HTTPClient OpenSSL Logging"
  [Documents]="Domain CMd4c CLibXML2"
  [Service]="Domain RPC Contract OpenSSL Logging"
  [HitoClient]="Wire RPC Contract OpenSSL Transport"
  [Console]="Wire RPC Contract DescriptorJSON"
  [hito]="Domain Wire RPC Contract OpenSSL Transport PostgresStore EventLake Models Documents Service HitoClient
    Console DescriptorJSON
    ArgumentParser ServiceLifecycle Logging UnixSignals"
  [CodeGen]="SwiftProtobuf SwiftProtobufPluginLibrary"
  [protoc-gen-hito]="CodeGen SwiftProtobuf SwiftProtobufPluginLibrary"
)
system="Synchronization Dispatch Glibc Musl Darwin FoundationEssentials Foundation"

import_pattern='^[[:space:]]*(@[A-Za-z_]+(\([a-z]+\))?[[:space:]]+)*((public|package|internal|private|fileprivate)[[:space:]]+)?import[[:space:]]'

for folder in Sources/*/; do
  target=$(basename "$folder")
  compgen -G "$folder*.swift" >/dev/null || find "$folder" -name '*.swift' | grep -q . || continue
  if [ -z "${allowed[$target]:-}" ]; then
    refuse "$folder: a target that .make/check-layers.sh does not know: give it its arrows"
    continue
  fi
  permitted="${allowed[$target]} $system"
  [ "${allowed[$target]}" != none ] || permitted=Synchronization
  while IFS=: read -r file line text; do
    # import struct Foundation.Date -> Foundation
    module=$(sed -E 's/^.*import[[:space:]]+((struct|class|enum|protocol|func|typealias|var|let)[[:space:]]+)?([A-Za-z_0-9]+).*$/\3/' <<<"$text")
    case " ${permitted//$'\n'/ } " in
      *" $module "*) ;;
      *) refuse "$file:$line: $target may not import $module" ;;
    esac
    if [[ $text == *@_exported* && $target != HitoClient ]]; then
      refuse "$file:$line: only HitoClient hands on other modules"
    fi
  done < <(grep -rnE --include='*.swift' "$import_pattern" "$folder" || true)
done

# search MESSAGE PATTERN FOLDER...: refuses every line of code (not of comment) that matches.
search() {
  local message=$1 pattern=$2
  shift 2
  while IFS=: read -r file line _; do
    refuse "$file:$line: $message"
  done < <(grep -rnE --include='*.swift' "$pattern" "$@" | grep -vE '^[^:]+:[0-9]+:[[:space:]]*//' || true)
}

mapfile -t without_sql < <(find Sources -mindepth 1 -maxdepth 1 -type d -not -name PostgresStore)
search 'SQL lives in PostgresStore only' \
  '(INSERT INTO|DELETE FROM|CREATE (TABLE|INDEX|EXTENSION)|ALTER TABLE|SELECT .+ FROM|UPDATE [a-z_]+ SET) ' \
  "${without_sql[@]}"
search 'public is for what HitoClient hands out; use package' \
  '^[[:space:]]*(@[A-Za-z_]+[[:space:]]+)*public ' \
  Sources/Domain Sources/PostgresStore Sources/EventLake Sources/Models Sources/Documents Sources/Service
search 'FoundationNetworking brings libcurl with it' 'FoundationNetworking' Sources Tests

exit "$failed"
