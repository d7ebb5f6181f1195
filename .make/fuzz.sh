#!/usr/bin/env bash
# fuzz.sh SECONDS [TARGET...]: runs each fuzzer for so long, all of them or those that are named, one after
# the other. What they find is put into Tests/Fuzz/corpus, where the tests replay it; what they learn on the
# way stays in .build-fuzz/corpus. Ends with 1 where something was found.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
cd "$REPO"

seconds=${1:?how many seconds for each target}
shift
build=.build-fuzz
# Optimized, because a fuzzer lives from speed, with all assertions; instrumented for coverage and with the
# address sanitizer, as what is in C is for undefined behaviour. Both options of each: the one of the build links
# the runtime, the one of the compiler instruments.
flags=(
  --scratch-path "$build" --sanitize=fuzzer --sanitize=address
  -Xswiftc "-sanitize=fuzzer,address" -Xswiftc -O -Xswiftc -assert-config -Xswiftc Debug
  -Xcc "-fsanitize=fuzzer-no-link,address" -Xcc -fsanitize=undefined
  -Xcc -fsanitize-undefined-trap-on-error
)
HITO_FUZZ=1 swift build "${flags[@]}" --product hito-fuzz >&2
program=$(HITO_FUZZ=1 swift build "${flags[@]}" --show-bin-path)/hito-fuzz

if [ $# -gt 0 ]; then targets=("$@"); else mapfile -t targets < <(ls Tests/Fuzz/corpus); fi
found=()
for target in "${targets[@]}"; do
  kept=Tests/Fuzz/corpus/$target
  [ -d "$kept" ] || die "there is no target $target" "targets: $(ls Tests/Fuzz/corpus | paste -sd ' ')"
  learned=$build/corpus/$target
  mkdir -p "$learned"
  options=(
    -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=8192 -print_final_stats=1
    -artifact_prefix="$kept/" -verbosity=0
  )
  note "== $target"
  began=$(awk '{ print $14 + $15 + $16 + $17 }' /proc/$$/stat)
  HITO_FUZZ_TARGET=$target ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0 \
    "$program" "${options[@]}" "$learned" "$kept" 2>"$build/$target.log" || found+=("$target")
  spent=$(($(awk '{ print $14 + $15 + $16 + $17 }' /proc/$$/stat) - began))
  printf '%s %d.%02d s of CPU, %s\n' "$target" $((spent / 100)) $((spent % 100)) \
    "$(sed -n 's/^stat::number_of_executed_units: */executions /p' "$build/$target.log")" \
    | tee -a "$build/spent.txt" >&2
done
[ ${#found[@]} -eq 0 ] || die "found something: ${found[*]}" "see $build/TARGET.log and git status Tests/Fuzz/corpus"
