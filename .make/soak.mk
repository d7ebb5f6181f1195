# How long at least, in seconds, and how many processes are killed at least.
SECONDS ?= 3600
KILLS ?= 300
.PHONY: soak
soak: build ## Checks histories under faults for long: make soak KILLS=300 SECONDS=3600 ARGS="--seed 1"
	@.make/soak.sh --seconds $(SECONDS) --kills $(KILLS) $(ARGS)
.PHONY: soak-clients
soak-clients: build ## Clients of all languages write and watch while two servers are killed in turn: make soak-clients SECONDS=600 ARGS="--rate 5"
	@.make/soak-clients.sh $(if $(filter command,$(origin SECONDS)),--seconds $(SECONDS)) $(ARGS)
