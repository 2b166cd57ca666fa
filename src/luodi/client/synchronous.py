"""The synchronous client."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self, TypeVar

from luodi.client import calls
from luodi.client.calls import Call, Model, Predicted, ServiceError
from luodi.contracts import JsonValue

T = TypeVar("T")


class Client:
    """Asks one service, over connections that stay open.

    Args:
        url: such as `http://127.0.0.1:8000`.
        timeout: seconds that an answer may take; the service is told, and does no work for an
            answer that would come later.
        retries: how often the same is asked again when the service is busy or the connection
            breaks; what is asked here may safely be asked twice.
        api_key: the key, where the service asks for one.
        headers: sent with every request.
        verify: whether the service's certificate is checked; or a file of certificates to trust.

        with Client("http://127.0.0.1:8000") as client:
            told = client.predict("reviews", ["很好"])
    """

    def __init__(
        self,
        url: str,
        timeout: float = 30.0,
        retries: int = 2,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        verify: bool | str = True,
    ) -> None:
        self._httpx = calls.need_httpx()
        self._url, self._retries = url.rstrip("/"), retries
        self._http = self._httpx.Client(
            base_url=self._url,
            timeout=timeout,
            verify=calls.trust(verify),
            headers=calls.standing(timeout, api_key, headers),
        )

    def predict(
        self,
        model: str,
        inputs: Sequence[JsonValue],
        *,
        explain: bool = False,
        key: str | None = None,
        request_id: str | None = None,
    ) -> Predicted:
        """One answer an input, in order, all by one version.

        Args:
            model: its name, or `name@alias`.
            inputs: objects of the model's fields; bare values where it asks for one field alone.
            explain: have each answer's reasons with it.
            key: keeps this caller with one version while a route has challengers.
            request_id: your own id for this request, instead of one that the service makes.

        Raises:
            ServiceError: with the service's words, and the field at fault.
        """
        return self._send(calls.predict(model, inputs, explain, key, request_id))

    def feedback(self, model: str, request_id: str, truth: JsonValue, row: int = 0) -> None:
        """Tell what would have been right for one row of a request; kept when this returns.

        Raises:
            ServiceError: when it was not kept.
        """
        self._send(calls.feedback(model, request_id, truth, row))

    def models(self) -> dict[str, str]:
        """What is served: name -> the version that answers."""
        return self._send(calls.models())

    def model(self, name: str, version: str | None = None) -> Model:
        """What a model, or one version of it, asks and answers.

        Raises:
            ServiceError: when there is no such model.
        """
        return self._send(calls.model(name, version))

    def ready(self) -> bool:
        """Whether the service answers and has its models; no error when it does not."""
        try:
            return self._send(calls.ready())
        except ServiceError:
            return False

    def load(self, name: str, version: str | None = None) -> str:
        """Have the service load a model of its registry; the version that was loaded.

        Raises:
            ServiceError: when there is none, or it could not be proved.
        """
        return self._send(calls.load(name, version))

    def unload(self, name: str, version: str | None = None) -> None:
        """Have the service answer for a model, or one version of it, no more."""
        self._send(calls.unload(name, version))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _send(self, call: Call[T]) -> T:
        content, headers = call.content(), call.all_headers()
        for left in range(self._retries, -1, -1):
            try:
                response = self._http.request(
                    call.method, call.path, content=content, headers=headers
                )
            except self._httpx.TransportError as error:
                if not left or isinstance(error, self._httpx.TimeoutException):
                    raise calls.unreachable(self._url, error) from error
                time.sleep(0.1)
                continue
            pause = calls.pause(response.status_code, response.headers)
            if pause is None or not left:
                break
            time.sleep(pause)
        return calls.read(call, response.status_code, response.headers, response.content)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
