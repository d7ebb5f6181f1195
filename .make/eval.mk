.PHONY: eval
eval: build ## Measures how well searches find what they should (ARGS="--accept": new baseline)
	@.make/eval.sh $(ARGS)
