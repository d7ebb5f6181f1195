"""The client for programs that block: scripts, notebooks, threads.

    with hito.sync.Client.connect("127.0.0.1:7443", ca_file="ca.pem", token=token) as client:
        reply = client.goals.create_goal(hito.v1.CreateGoalRequest(title="Aprender FastAPI"))
        for step in client.progress.watch_resuming(hito.v1.WatchRequest()):
            print(step.event.type)

It has the services, options and errors of `hito.Client`, from which it differs in that calls return their reply and
streams are iterators. Requests of a stream are any iterable; it runs in a thread of its own. Ctrl-C cancels
the call that it interrupts, and a `CancelScope` lets another thread do so.
"""

from hito.sync._client import SyncClient as Client
from hito.sync._consume import SyncConsumer as Consumer
from hito.sync._consume import SyncDelivery as Delivery
from hito.sync._scope import CancelScope
from hito.sync._services import SyncCodeValidationClient as CodeValidationClient
from hito.sync._services import SyncEventClient as EventClient
from hito.sync._services import SyncProgressClient as ProgressClient
from hito.sync._stream import SyncResponseStream as ResponseStream
from hito.sync._stream import SyncResumingBatch as ResumingBatch
from hito.sync._stream import SyncResumingRevalidation as ResumingRevalidation
from hito.sync._stream import SyncResumingValidation as ResumingValidation
from hito.sync._stream import SyncResumingWatch as ResumingWatch

__all__ = [
    "CancelScope",
    "Client",
    "CodeValidationClient",
    "Consumer",
    "Delivery",
    "EventClient",
    "ProgressClient",
    "ResponseStream",
    "ResumingBatch",
    "ResumingRevalidation",
    "ResumingValidation",
    "ResumingWatch",
]
