"""The client for an event loop: the same verbs as coroutines.

`aclient.pyi` says it to type checkers and editors; `tests/tools/twin.py` writes it from `client.py`.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

from chartoci.adrive import Carrier
from chartoci.client import Client, Plan, dress

P = ParamSpec("P")
R = TypeVar("R")


def awaited(verb: Callable[Concatenate[Client, P], R]) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]:
    """A verb of `Client` as a coroutine."""
    plan: Callable[..., Plan[R]] = verb.__wrapped__  # type: ignore[attr-defined]

    async def run(self: Any, /, *arguments: P.args, **named: P.kwargs) -> R:
        return await self._carry_out(plan(self, *arguments, **named))  # type: ignore[no-any-return]

    dressed = dress(run, plan)
    # The examples do not await.
    dressed.__doc__ = (plan.__doc__ or "").partition("\n\n        >>>")[0]
    return dressed


class AsyncClient(Carrier):
    """`Client` for asyncio. Tasks may share it; connections and tokens are kept between calls.

        async with AsyncClient() as client:
            await client.push("web-1.0.0.tgz", "oci://registry.example/charts")

    Takes what `Client` takes. `credentials` may be a coroutine function. Requests go over urllib3 in threads, unless a
    `transport` is passed or named: `"aiohttp"` (the extra `chartoci[aiohttp]`). Cancelling a task shuts its sockets down;
    no thread is waited for. Charts are read in threads, and so is all that urllib3 sends and fetches; what aiohttp fetches
    is hashed and written in the loop's own, piece by piece, where events come, too.

        >>> import asyncio
        >>> from chartoci.testing import Registry
        >>> async def push(registry):
        ...     async with chartoci.AsyncClient() as client:
        ...         return await client.push("web-1.0.0.tgz", f"oci://{registry.host}/charts")
        >>> with Registry() as registry:
        ...     asyncio.run(push(registry)).tag
        '1.0.0'
    """


for _name, _method in list(vars(Client).items()):
    if hasattr(_method, "__wrapped__"):
        setattr(AsyncClient, _name, awaited(_method))
