"""A systemd unit: a user of its own, a system that it can read and not write."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from luodi.bundle.manifest import Manifest
from luodi.serving.deployment.docker import PORT, image_name

_UNIT = """\
[Unit]
Description={description}
After=network-online.target
Wants=network-online.target

[Service]
Type=exec
ExecStart={command}
Environment=LUODI_HOME=%S/{name}
StateDirectory={name}
DynamicUser=yes
Restart=on-failure
RestartSec=1
TimeoutStopSec=40
KillSignal=SIGTERM
MemoryMax={memory}M
TasksMax=256
NoNewPrivileges=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectSystem=strict
ProtectHome=read-only
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
CapabilityBoundingSet=
AmbientCapabilities=
SystemCallArchitectures=native
SystemCallFilter=@system-service
UMask=0077

[Install]
WantedBy=multi-user.target
"""


def write_systemd(
    bundle: Path, manifest: Manifest, version: str, bundle_bytes: int, folder: Path
) -> list[str]:
    """Write the unit into `folder`; returns the commands that start it."""
    folder.mkdir(parents=True)
    name = image_name(manifest.name)
    luodi = [sys.executable, "-m", "luodi"]
    words = [*luodi, "serve", str(bundle.resolve()), "--keys", "--port", str(PORT)]
    unit = folder / f"{name}.service"
    # In a unit % begins a specifier, and $ a variable.
    command = shlex.join(words).replace("%", "%%").replace("$", "$$")
    unit.write_text(
        _UNIT.format(
            description=f"{name}:{version}, served by Luodi",
            command=command,
            name=name,
            memory=512 + 4 * bundle_bytes // 2**20,
        ),
        "utf-8",
    )
    return [
        f"sudo LUODI_HOME=/var/lib/{name} {shlex.join(luodi)} keys add NAME",
        f"sudo cp {unit} /etc/systemd/system/",
        "sudo systemctl daemon-reload",
        f"sudo systemctl enable --now {name}",
    ]
