# How long at least, in seconds, and how many processes are killed at least.
SECONDS ?= 3600
KILLS ?= 300
.PHONY: soak
soak: build ## Checks histories under faults for long: make soak KILLS=300 SECONDS=3600 ARGS="--seed 1"
	@.make/soak.sh --seconds $(SECONDS) --kills $(KILLS) $(ARGS)
