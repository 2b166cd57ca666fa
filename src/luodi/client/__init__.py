"""Ask a Luodi service from Python: typed, synchronous or not; needs the extra `luodi[client]`.

    from luodi.client import Client

    with Client("http://127.0.0.1:8000") as client:
        told = client.predict("reviews", ["质量很好", "用了两天就坏了"])
        print(told.version, [output["label"] for output in told.outputs])
        client.feedback("reviews", told.request_id, truth="pos", row=0)

`AsyncClient` has the same methods, awaited. Nothing here loads a model or a table.
"""

from luodi.client.asynchronous import AsyncClient
from luodi.client.calls import Model, Predicted, ServiceError
from luodi.client.synchronous import Client

__all__ = ["AsyncClient", "Client", "Model", "Predicted", "ServiceError"]
