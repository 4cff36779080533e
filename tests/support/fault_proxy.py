"""A proxy in front of a store that fails on demand, in the ways of real stores and networks.

    with FaultProxy(store.endpoint) as proxy:
        proxy.only_updates = True
        proxy.script(Fault.RESET_AFTER, Fault.PASS)
        ...  # let the service use proxy.endpoint
        assert proxy.requests[0].headers["mu-auth-sudo"] == "true"

A test sets the faults of the next requests (`script`) or of all later ones (`always`), or chooses
a fault for each request (`choose`). All requests are recorded, also those that do not reach the
store.
"""

from __future__ import annotations

import select
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http import HTTPStatus

from tests.support.contexts import Resource
from tests.support.faults import (
    CANNED,
    NO_ROWS,
    Answer,
    Fault,
    Request,
    only_first_operation,
    page,
    read_request,
)
from tests.support.patience import PATIENCE
from tests.support.sockets import POLL_INTERVAL, Listener, free_port, interrupt, reset
from tests.support.upstream import Upstream


class FaultProxy(Resource):
    """An HTTP proxy on a free port of 127.0.0.1 with the same paths as the store behind it."""

    def __init__(self, upstream: str | Upstream) -> None:
        self._upstream = Upstream(upstream) if isinstance(upstream, str) else upstream
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # The URL that the proxy was made for, through the proxy.
        self.endpoint = self.update_endpoint = self.url + self._upstream.path
        self.requests: list[Request] = []
        # Requests for which these do not hold get no fault, and use up none of the script.
        self.only_updates = False
        self.only: Callable[[Request], bool] = lambda _: True
        self.pause = 0.05  # seconds between two bytes of TRICKLE
        # Returns each request, one at a time, with its fault: any but REFUSE, which needs `always`.
        self.choose: Callable[[Request], Request] | None = None
        # Called with the store's answer, or with None if the store is down, just before the client
        # gets it. It runs in the threads of the requests.
        self.answered: Callable[[Request, Answer | None], None] = lambda _request, _answer: None
        self.remember = True  # whether requests are recorded; a run of hours would fill the memory
        self._script: deque[Fault] = deque()
        self._always = Fault.PASS
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._closing = threading.Event()
        self._listener: Listener | None = None
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._busy = 0  # requests that are not finished
        self._sockets: set[socket.socket] = set()
        self._errors: list[Exception] = []

    # -- what tests use ------------------------------------------------------------------------

    @property
    def updates(self) -> list[Request]:
        """The recorded requests that write."""
        return [request for request in self.requests if request.is_update]

    def script(self, *faults: Fault) -> None:
        """Give the next requests one fault each; later requests get the fault of `always`.

        Only the last fault may be REFUSE, because a closed port cannot count requests. The port
        closes when the requests before it have arrived, and opens at the next `script` or `always`.
        """
        if Fault.REFUSE in faults[:-1]:
            raise ValueError("REFUSE must be the last of a script: refused requests are not seen")
        with self._lock:
            self._script = deque(faults)
            self._open_or_close()

    def always(self, fault: Fault) -> None:
        """Give all requests from now on the same fault, and drop the script."""
        with self._lock:
            self._script.clear()
            self._always = fault
            self._open_or_close()

    def release(self, timeout: float = PATIENCE) -> None:
        """Let requests under HANG_THEN_APPLY reach the store; return when all are answered."""
        self._released.set()
        self.wait_idle(timeout)
        self._released.clear()

    def wait_idle(self, timeout: float = PATIENCE) -> None:
        """Wait until all requests are finished, also those whose client gave up."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._busy, timeout):
                raise TimeoutError(f"a request is still in the proxy after {timeout} s")

    # -- opening and closing -------------------------------------------------------------------

    def acquire(self, stack: ExitStack) -> None:
        """Open the port until the block ends."""
        with self._lock:
            self._open_or_close()
        stack.callback(self._shut_down)

    def _shut_down(self) -> None:
        """End all connections, and raise the errors of the proxy itself."""
        self._closing.set()
        self._upstream.close()
        with self._lock:
            self._close()
        for connection in list(self._sockets):
            interrupt(connection)
        self.wait_idle()
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise ExceptionGroup("in the proxy", self._errors)

    def _open_or_close(self) -> None:
        """Open or close the port as the next fault needs it. The caller holds the lock."""
        if self._next() is Fault.REFUSE:
            self._close()
        elif self._listener is None and not self._closing.is_set():
            self._listener = Listener(self.port, self._accepted)

    def _next(self) -> Fault:
        return self._script[0] if self._script else self._always

    def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    # -- one connection, in its own thread ------------------------------------------------------

    def _accepted(self, client: socket.socket) -> None:
        thread = threading.Thread(target=self._serve, args=(client,), name="fault-proxy")
        self._sockets.add(client)
        self._threads = [*(old for old in self._threads if old.is_alive()), thread]
        thread.start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with client, client.makefile("rb") as stream:
                keep = True
                while keep and (request := read_request(stream)):
                    with self._counted():
                        request = self._record(request)
                        keep = request.fault is Fault.PASS
                        (self._pass_on if keep else self._handle)(client, request)
        except OSError:
            pass  # The client gave up or the proxy closes, which is expected
        except Exception as error:  # noqa: BLE001 - a bug; `_shut_down` raises it in the test
            self._errors.append(error)
        finally:
            self._sockets.discard(client)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count a request that is not finished."""
        with self._changed:
            self._busy += 1
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def _record(self, request: Request) -> Request:
        """Choose the fault of a request, and remember both."""
        with self._lock:
            if self.choose is not None:
                request = self.choose(request)
            elif self.only(request) and (request.is_update or not self.only_updates):
                request = replace(request, fault=self._next())
                if self._script and request.fault is not Fault.REFUSE:
                    self._script.popleft()
                self._open_or_close()
            if self.remember:
                self.requests.append(request)
        return request

    def _pass_on(self, client: socket.socket, request: Request) -> None:
        answer = self._forward(request)
        client.sendall(answer.head(keep=True) + answer.body)

    def _handle(self, client: socket.socket, request: Request) -> None:
        match request.fault:
            case Fault.RESET_BEFORE | Fault.REFUSE:  # REFUSE: arrived while the port was closing
                reset(client)
            case Fault.RESET_AFTER:
                self._forward(request)
                reset(client)
            case Fault.HANG:
                self._wait_for_hangup(client)
            case Fault.HANG_THEN_APPLY | Fault.DELAY:
                self._hold_back(request)
                send(client, self._forward(request))
            case Fault.FIRST_OPERATION:
                send(client, self._forward(only_first_operation(request)))
            case Fault.FIRST_OPERATION_THEN_500:
                self._forward(only_first_operation(request))
                send(client, CANNED[Fault.SERVER_ERROR])
            case fault if fault in CANNED:
                send(client, CANNED[fault])
            case fault:
                self._deliver(client, self._forward(request), fault)

    def _deliver(self, client: socket.socket, answer: Answer, fault: Fault) -> None:
        """Send an answer of the store, complete or damaged; an empty one gets a body first."""
        damaged = answer if answer.body else CANNED[Fault.IGNORE]
        half = damaged.body[: len(damaged.body) // 2]
        match fault:
            case Fault.TRICKLE:
                self._trickle(client, damaged)
            case Fault.CUT_BODY:
                client.sendall(damaged.head() + half)
            case Fault.CUT_JSON:
                send(client, replace(damaged, body=half))
            case Fault.PARTIAL:
                send(client, NO_ROWS)
            case _:
                send(client, answer)

    def _trickle(self, client: socket.socket, answer: Answer) -> None:
        client.sendall(answer.head())
        for byte in answer.body:
            if self._closing.wait(self.pause):
                return
            client.sendall(bytes([byte]))

    def _wait_for_hangup(self, client: socket.socket) -> None:
        while not self._closing.is_set():
            readable, _, _ = select.select([client], [], [], POLL_INTERVAL)
            if readable and not client.recv(1, socket.MSG_PEEK):
                return

    def _hold_back(self, request: Request) -> None:
        if request.fault is Fault.DELAY:
            self._closing.wait(request.delay)
        else:
            while not (self._closing.is_set() or self._released.wait(POLL_INTERVAL)):
                pass
        if self._closing.is_set():
            raise ConnectionAbortedError

    def _forward(self, request: Request) -> Answer:
        """Forward a request to the store; if the store is down, return 502 as proxies do."""
        answer = self._upstream.forward(request)
        self.answered(request, answer)
        return page(HTTPStatus.BAD_GATEWAY) if answer is None else answer


def send(client: socket.socket, answer: Answer) -> None:
    """Send an answer in one piece."""
    client.sendall(answer.head() + answer.body)
