from __future__ import annotations

from pathlib import Path

import pytest

from luodi.training.bases.licences import (
    allows_commercial,
    licence_of_folder,
    licence_of_wheel,
    spdx,
)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("apache-2.0", "Apache-2.0"),
        ("MIT License", "MIT"),
        ("cc-by-nc-4.0", "CC-BY-NC-4.0"),
        ("", "unknown"),
        ("other", "unknown"),
        ("Non-commercial use only", "research-only"),
        ("openrail", "openrail"),
    ],
)
def test_names_become_spdx(named: str, expected: str) -> None:
    assert spdx(named) == expected


@pytest.mark.parametrize(
    "licence", ["CC-BY-NC-4.0", "research-only", "unknown", "openrail", "CC-BY-NC-SA-4.0"]
)
def test_only_a_licence_known_to_allow_it_is_commercial(licence: str) -> None:
    assert not allows_commercial(licence)
    assert allows_commercial("Apache-2.0")


def test_the_model_card_speaks_before_the_licence_file(tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_text("Permission is hereby granted, free of charge, to any")
    assert licence_of_folder(tmp_path) == ("MIT", "LICENSE")
    (tmp_path / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n# A model\n")
    assert licence_of_folder(tmp_path) == ("CC-BY-NC-4.0", "README.md")


def test_research_only_is_read_off_the_card_in_both_languages(tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    card.write_text("# M\n\n## License\n\n模型也是非商用的,仅供研究使用。\n", encoding="utf-8")
    assert licence_of_folder(tmp_path)[0] == "research-only"
    card.write_text("# M\n\n## Licence\n\nFor research only.\n\n## More\n", encoding="utf-8")
    assert licence_of_folder(tmp_path)[0] == "research-only"


def test_a_broken_card_states_nothing(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\nlicense: [\n---\n")
    assert licence_of_folder(tmp_path) == ("unknown", "")


def test_a_wheel_states_its_packagers_licence(tmp_path: Path) -> None:
    info = tmp_path / "a-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: a\nClassifier: License :: OSI Approved :: MIT License\n")
    assert licence_of_wheel(tmp_path) == ("MIT", "METADATA")
