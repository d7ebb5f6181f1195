BENCHES := bench-attacks bench-rpc bench-clients bench-store bench-bus bench-lake bench-retrieval bench-validation
.PHONY: $(BENCHES) bench-groups check-release
bench-attacks: build ## Attacks the server: its memory, and an honest caller's time, within their bounds
	@.make/bench-attacks.sh $(ARGS)
bench-rpc: build ## Measures the wire: calls per second, CPU per call, memory per connection
	@.make/bench.sh rpc $(ARGS)
bench-clients: build ## Measures calls per second and CPU of a call of each client, beside gRPC of its language
	@.make/bench-clients.sh $(ARGS)
bench-store: build ## Measures CreateGoal against pgbench, and commit to subscriber
	@.make/bench.sh store $(ARGS)
bench-bus: build ## Measures what hangs on the log: RabbitMQ beside librabbitmq, consumer groups, rebuilds
	@.make/bench-bus.sh $(ARGS)
bench-lake: build ## Measures how fast events get into the lake
	@.make/bench.sh lake $(ARGS)
bench-retrieval: build ## Measures searches, the sentence encoder and the ingestion of documents
	@.make/bench.sh retrieval $(ARGS)
check-release: setup ## Tries the ways of a job of the sandbox in an optimised build
	@.make/bench.sh sandbox --check
bench-validation: setup ## Measures validations of code and the sandbox: time, CPU beside the bare command
	@.make/bench.sh sandbox
	@.make/bench.sh validation $(ARGS)
bench-groups: build ## Measures consumer groups: events settled per second
	@.make/bench.sh groups $(ARGS)
