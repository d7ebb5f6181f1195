.PHONY: bench-build
bench-build: setup ## Measures a first release build, its parts, and one after a changed line
	@.make/bench-build.sh $(ARGS)
