.PHONY: generate
generate: setup ## Regenerates the code made from Protos/
	@.make/generate.sh

.PHONY: check-generated
check-generated: setup ## Fails when the generated code is not what Protos/ gives
	@.make/check-generated.sh
