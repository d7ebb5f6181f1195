.PHONY: demo
demo: build ## Plays a learner's journey against a throw-away server and verifies it
	@.make/demo.sh $(ARGS)
