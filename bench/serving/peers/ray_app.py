"""Ray Serve with its dynamic batching, as its documents show it."""

import os

from ray import serve
from shared import Classifier
from starlette.requests import Request

BATCH = int(os.environ["BENCH_BATCH"])


@serve.deployment(max_ongoing_requests=512, ray_actor_options={"num_cpus": 1})
class Classify:
    def __init__(self) -> None:
        self.model = Classifier()

    @serve.batch(max_batch_size=BATCH, batch_wait_timeout_s=0.01)
    async def many(self, texts: list[str]) -> list[dict]:
        return self.model(texts)

    async def __call__(self, request: Request) -> dict:
        return await self.many((await request.json())["text"])


app = Classify.bind()
