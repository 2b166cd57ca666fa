"""How many cores there are to divide: in a container fewer than the machine has."""

from __future__ import annotations

import os

import pytest

from luodi.serving import settings


def written(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/\n", {"groups/cpu.max": "200000 100000\n"}, 2),  # Docker, Kubernetes
        ("0::/\n", {"groups/cpu.max": "50000 100000\n"}, 1),
        ("0::/\n", {"groups/cpu.max": "350000 100000\n"}, 3),
        ("0::/\n", {"groups/cpu.max": "max 100000\n"}, 8),
        ("0::/\n", {}, 8),
        (
            "0::/system.slice/reviews.service\n",  # a unit with CPUQuota in a slice with less
            {
                "groups/system.slice/reviews.service/cpu.max": "600000 100000\n",
                "groups/system.slice/cpu.max": "400000 100000\n",
            },
            4,
        ),
        (
            "4:cpu,cpuacct:/docker/abc\n",
            {
                "groups/cpu/cpu.cfs_quota_us": "300000\n",
                "groups/cpu/cpu.cfs_period_us": "100000\n",
            },
            3,
        ),
        ("4:cpu,cpuacct:/\n", {"groups/cpu/cpu.cfs_quota_us": "-1\n"}, 8),
    ],
)
def test_a_quota_of_time_is_so_many_cores(tmp_path, monkeypatch, own, files, expected):
    written(tmp_path, {"own": own, **files})
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    monkeypatch.setattr(settings, "_GROUPS", tmp_path / "groups")
    monkeypatch.setattr(settings, "_OWN_GROUP", tmp_path / "own")
    assert settings.cores() == expected
