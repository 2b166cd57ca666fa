"""Translators: an address on this machine, and a folder with a small model."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from luodi.contracts import DataError, Parts, Quiet
from luodi.contracts.settings import AugmentSettings, TextAugment
from luodi.data.augment.rows import augment
from luodi.data.augment.translators import translator
from tests.data.augment.test_rows import texts

Served = Callable[[Callable[[list[str]], Any]], str]


@pytest.fixture
def served() -> Iterator[Served]:
    """Serve a function of texts on loopback; gives its address."""
    servers: list[HTTPServer] = []

    def serve(answer: Callable[[list[str]], Any]) -> str:
        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                body = json.dumps(answer(asked["texts"])).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Answers)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/translate"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_there_and_back_through_an_address(served: Served, tmp_path: Path) -> None:
    there = served(lambda texts: {"texts": [text.upper() for text in texts]})
    back = served(lambda texts: {"texts": [text.replace("AND", "plus") for text in texts]})
    parts: Parts = texts(60)
    wanted = AugmentSettings(text=TextAugment(("back_translation",), there=there, back=back))
    made = augment(parts, wanted, 7, tmp_path, Quiet())
    assert made.counts["texts"] == 20
    assert all("plus" in text for text in made.train.table["text"].to_list()[20:])


@pytest.mark.parametrize(
    "answer", [{"texts": ["one"]}, {"texts": "x"}, ["a", "b"], {"error": "busy"}, None]
)
def test_an_answer_of_another_form_is_told(answer: Any, served: Served, tmp_path: Path) -> None:
    ask = translator(served(lambda texts: answer), tmp_path)
    with pytest.raises(DataError, match="2 texts"):
        ask(["a", "b"])


def test_no_answer_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="did not answer"):
        translator("http://127.0.0.1:9/none", tmp_path)(["a"])


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no model"):
        translator("models/none", tmp_path)


@pytest.mark.train
def test_a_small_model_in_a_folder(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = {word: place for place, word in enumerate(["<pad>", "</s>", "<unk>", "good", "bad"])}
    signs = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token=signs["unk_token"]))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **signs)
    fast.save_pretrained(tmp_path / "model")
    config = transformers.T5Config(
        vocab_size=5, d_model=16, d_kv=4, d_ff=16, num_layers=1, num_heads=2,
        decoder_start_token_id=0, pad_token_id=0, eos_token_id=1,
    )  # fmt: skip
    transformers.T5ForConditionalGeneration(config).save_pretrained(tmp_path / "model")
    translate = translator("model", tmp_path)
    answers = translate(["good bad", "", "good " * 300])
    assert len(answers) == 3
    assert translate(["good bad"]) == answers[:1]
    (tmp_path / "model" / "model.safetensors").unlink()
    with pytest.raises(DataError, match="cannot be loaded"):
        translator("model", tmp_path)
