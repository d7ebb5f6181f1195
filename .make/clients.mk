.PHONY: test-clients
test-clients: build ## Builds and tests the clients in all languages whose toolchains are here (ARGS: languages)
	@.make/test-clients.sh $(ARGS)
