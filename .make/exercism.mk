# The folder of a checkout of a public Exercism track, Python or JavaScript.
TRACK ?=
.PHONY: exercism
exercism: setup ## Judges a checkout of an Exercism track: make exercism TRACK=/path/to/python
	@.make/exercism.sh "$(TRACK)" $(ARGS)
