# Which fuzzers: all, unless some are named.
TARGETS ?=
# `make soak` has another default for the same name.
fuzz_seconds = $(if $(filter command environment,$(firstword $(origin SECONDS))),$(SECONDS),60)
.PHONY: fuzz
fuzz: setup ## Runs every fuzzer for a bounded time: make fuzz SECONDS=60 TARGETS="frames json"
	@.make/fuzz.sh $(fuzz_seconds) $(TARGETS)
