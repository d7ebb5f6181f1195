"""What happens around every call of a client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Awaitable, Callable, Protocol, Sequence, TypeVar

from hito._method import Method

if TYPE_CHECKING:
    from hito._options import CallOptions

Result = TypeVar("Result")
Proceed = Callable[["CallOptions"], Awaitable[Result]]


class Interceptor(Protocol):
    """Around every call of a client: one shape for unary calls and streams.

        class Traced:
            async def intercept(self, method, options, proceed):
                with span(method.path) as current:
                    return await proceed(dataclasses.replace(options, traceparent=current.header))
    """

    async def intercept(
        self, method: Method, options: CallOptions, proceed: Proceed[Result]
    ) -> Result:
        """Makes a call by awaiting `proceed`, with these options or others.

        It returns the reply of a call that has one, and the open stream where responses are a
        stream; it raises how the call failed.
        """
        ...


async def intercepted(
    interceptors: Sequence[Interceptor], method: Method, options: CallOptions, last: Proceed[Result]
) -> Result:
    """The first is the outermost."""
    if not interceptors:
        return await last(options)

    async def proceed(options: CallOptions) -> Result:
        return await intercepted(interceptors[1:], method, options, last)

    return await interceptors[0].intercept(method, options, proceed)
