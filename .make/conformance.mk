.PHONY: conformance
conformance: setup ## Holds the server and the clients to the protocol, clause by clause (ARGS: options of Tests/Conformance/runner.py)
	@.make/conformance.sh $(ARGS)
