"""LitServe with its batching, as its documents show it."""

import os

import litserve as ls
from shared import Classifier

BATCH = int(os.environ["BENCH_BATCH"])


class Api(ls.LitAPI):
    def setup(self, device: str) -> None:
        self.model = Classifier()

    def decode_request(self, request: dict) -> str:
        return request["text"]

    def predict(self, texts):
        return self.model(texts) if isinstance(texts, list) else self.model([texts])[0]

    def encode_response(self, output: dict) -> dict:
        return output


if __name__ == "__main__":
    more = {"max_batch_size": BATCH, "batch_timeout": 0.01} if BATCH > 1 else {}
    server = ls.LitServer(Api(**more), accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), generate_client_file=False)
