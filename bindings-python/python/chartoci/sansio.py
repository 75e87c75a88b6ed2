"""The machine itself, for those who bring their own transport.

Poll until `Wait` or `Done` after every `handle_…`; start each `Send` now or queue it, its order is yours; answers may
come in any order and from any thread, one at a time; an answer to a cancelled or unknown id is ignored; polling early is
harmless. Times are milliseconds on a monotonic clock.

    exchange = Exchange.tags(Session(), "registry.example/charts/web")
    while not isinstance(output := exchange.poll(now()), Done):
        if isinstance(output, Send):
            answer = send(output.request)
            receiver = exchange.handle_response(output.request.id, answer.status, answer.headers)
            receiver.write(answer.body)
            exchange.handle_end(output.request.id, receiver)
"""

from chartoci._native import (
    Ask,
    Cancel,
    Check,
    Digester,
    Done,
    Exchange,
    Find,
    Finished,
    List,
    LockFile,
    Machine,
    MakeDirectory,
    Notify,
    Push,
    Read,
    Receive,
    Receiver,
    Registry,
    Remove,
    Rename,
    Request,
    Resolve,
    Respond,
    Run,
    Scan,
    Scanning,
    Send,
    Serving,
    Session,
    Sync,
    Wait,
    Write,
    credential_variable,
    directory,
    extract,
    keep,
    lookup,
    package,
)
from chartoci.model import Parts

Output = Send | Cancel | Ask | Notify | Wait | Done
Verb = List | Read | MakeDirectory | Write | Sync | Rename | Remove | Resolve | LockFile | Find | Run

__all__ = [
    "Ask",
    "Cancel",
    "Check",
    "Digester",
    "Done",
    "Exchange",
    "Find",
    "Finished",
    "List",
    "LockFile",
    "Machine",
    "MakeDirectory",
    "Notify",
    "Output",
    "Parts",
    "Push",
    "Read",
    "Receive",
    "Receiver",
    "Registry",
    "Remove",
    "Rename",
    "Request",
    "Resolve",
    "Respond",
    "Run",
    "Scan",
    "Scanning",
    "Send",
    "Serving",
    "Session",
    "Sync",
    "Verb",
    "Wait",
    "Write",
    "credential_variable",
    "directory",
    "extract",
    "keep",
    "lookup",
    "package",
]
