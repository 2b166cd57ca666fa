"""How Prometheus comes by the metrics of every replica: with a key, as everybody who asks.

An annotation of the pods cannot name a key, and a port without one would tell whoever reaches it
which models there are and how they are used. So the key lies in a secret, which is named here.
"""

from __future__ import annotations

from typing import Any

METRICS = "/metrics"


def metrics_secret(name: str) -> str:
    """The secret whose `key` is the key that Prometheus sends."""
    return f"{name}-metrics"


def commands(name: str) -> list[str]:
    """What makes the key, and has the cluster know it."""
    secret = f"kubectl create secret generic {metrics_secret(name)}"
    return [
        "LUODI_HOME=state luodi keys add prometheus --role read",
        f"{secret} --from-literal=key=KEY",
    ]


def service_monitor(name: str, labels: dict[str, str], tls: bool) -> dict[str, Any]:
    """Every pod behind the service, for the Prometheus Operator."""
    endpoint: dict[str, Any] = {
        "port": "https" if tls else "http",
        "scheme": "https" if tls else "http",
        "path": METRICS,
        "authorization": {
            "type": "Bearer",
            "credentials": {"name": metrics_secret(name), "key": "key"},
        },
    }
    if tls:
        # A pod is asked by its address, which no certificate names: so this very certificate is
        # expected, for the name that the service has.
        certificate = {"secret": {"name": f"{name}-tls", "key": "tls.crt"}}
        endpoint["tlsConfig"] = {"ca": certificate, "serverName": name}
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": name, "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "endpoints": [endpoint]},
    }
