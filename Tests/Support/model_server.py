#!/usr/bin/env python3
"""Serves the tests' small language model on a free port of the loopback interface.

    model_server.py FOLDER [--embeddings]

FOLDER is what .make/setup-llm.sh installs. Prints one JSON line, {"url": "http://127.0.0.1:PORT"},
once requests are answered. Ends when its standard input does: whoever started it keeps the other
end open, so that nothing is left over however that process ends.
"""

import argparse
import json
import os
import signal
import sys
import threading

THREADS = 2
CONTEXT = 2048


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder")
    arguments.add_argument("--embeddings", action="store_true")
    options = arguments.parse_args()

    # Waiting threads would spin otherwise, and take the processors from the tests.
    os.environ["OMP_WAIT_POLICY"] = "passive"
    sys.path.insert(0, os.path.join(options.folder, "python"))
    import xllamacpp

    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())

    def follow_parent() -> None:
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            pass
        ended.set()
        # The native server has no way to be interrupted while it loads or answers.
        os._exit(0)

    threading.Thread(target=follow_parent, daemon=True).start()

    parameters = xllamacpp.CommonParams()
    parameters.model.path = os.path.join(options.folder, "model.gguf")
    parameters.model_alias = {"test-llm"}
    parameters.n_ctx = CONTEXT
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = THREADS
    parameters.cpuparams_batch.n_threads = THREADS
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.ui = False
    parameters.offline = True
    parameters.cache_ram_mib = 0
    parameters.n_batch = CONTEXT
    parameters.n_ubatch = CONTEXT
    parameters.warmup = True
    parameters.verbosity = 1
    if options.embeddings:
        parameters.embedding = True
        parameters.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    server = xllamacpp.Server(parameters)
    print(json.dumps({"url": server.listening_address}), flush=True)
    ended.wait()
    os._exit(0)


if __name__ == "__main__":
    main()
