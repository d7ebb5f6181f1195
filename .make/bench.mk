.PHONY: bench-rpc bench-store bench-lake
bench-rpc: setup ## Measures the wire: calls per second, CPU per call, memory per connection
	@.make/bench.sh rpc $(ARGS)
bench-store: setup ## Measures CreateGoal against what pgbench reaches on the same database
	@.make/bench.sh store $(ARGS)
bench-lake: setup ## Measures the Parquet sink and the reports
	@.make/bench.sh lake $(ARGS)
