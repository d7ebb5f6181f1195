"""A black-box conformance runner of `hito/1`: nothing of it is shared with a client or server."""
