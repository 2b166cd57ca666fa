"""Plain Kubernetes manifests, and the same as a KServe InferenceService."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from luodi.bundle.manifest import Manifest
from luodi.serving.deployment import prometheus
from luodi.serving.deployment.docker import PORT, STATE, USER, image_name

_MEMORY = 256 * 1024 * 1024
"""What a service takes beside its model."""
_TLS = "/tls"
"""Where a secret of the kind kubernetes.io/tls is mounted: tls.crt and tls.key."""


def write_kubernetes(
    manifest: Manifest, version: str, bundle_bytes: int, folder: Path, tls: bool = False
) -> list[str]:
    """Fill `folder`; returns the commands that apply it.

    Args:
        tls: the pods end TLS themselves, by a secret; otherwise it ends before them. It always ends
            at KServe's own gateway.
    """
    import yaml

    folder.mkdir(parents=True)
    name = image_name(manifest.name)
    image = f"{name}:{version}"
    documents = {
        "deployment.yaml": [deployment(name, image, version, bundle_bytes, tls)],
        "service.yaml": [service(name, tls)],
        "policy.yaml": [network_policy(name), disruption_budget(name)],
        "autoscaler.yaml": [autoscaler(name)],
        "kserve.yaml": [inference_service(name, image, bundle_bytes)],
        "prometheus.yaml": [prometheus.service_monitor(name, _labels(name), tls)],
    }
    for file, content in documents.items():
        text = yaml.safe_dump_all(content, sort_keys=False, allow_unicode=True)
        (folder / file).write_text(text, "utf-8")
    # These two are of kinds that a cluster has only where KServe, or Prometheus' operator, runs.
    apart = ("kserve.yaml", "prometheus.yaml")
    plain = " ".join(f"-f {folder / file}" for file in documents if file not in apart)
    files = " ".join(f"--from-file={f}=state/{f}" for f in ("registry.db", "keys.pepper"))
    certified = [f"kubectl create secret tls {name}-tls --cert=CERT.pem --key=KEY.pem"]
    # The keys are copied once they are all there.
    return [
        *prometheus.commands(name),
        f"kubectl create secret generic {name}-keys {files}",
        *(certified if tls else []),
        f"kubectl apply {plain}",
        *(f"kubectl apply -f {folder / file}" for file in apart),
    ]


def _labels(name: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "luodi"}


def _container(name: str, image: str, bundle_bytes: int, tls: bool) -> dict[str, Any]:
    memory = (_MEMORY + 3 * bundle_bytes) // 2**20
    # The kubelet verifies no certificate: the pod's address is in none.
    probe = {"path": "/v2/health/ready", "port": "http", "scheme": "HTTPS" if tls else "HTTP"}
    files = ["--tls-cert", f"{_TLS}/tls.crt", "--tls-key", f"{_TLS}/tls.key"]
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        # A replica's log is its own: feedback may reach another than the one that answered.
        "args": ["--replicated", *(files if tls else ["--proxied"])],
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "env": [{"name": "LUODI_HOME", "value": STATE}],
        "resources": {
            "requests": {"cpu": "500m", "memory": f"{memory}Mi"},
            "limits": {"memory": f"{2 * memory}Mi"},
        },
        "startupProbe": {"httpGet": probe, "periodSeconds": 1, "failureThreshold": 60},
        "readinessProbe": {"httpGet": probe, "periodSeconds": 5},
        "livenessProbe": {"httpGet": {**probe, "path": "/v2/health/live"}, "periodSeconds": 10},
        # It is still sent requests for a moment after it was told to end.
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", "5"]}}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "state", "mountPath": STATE},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  # the container's own
            *([{"name": "tls", "mountPath": _TLS, "readOnly": True}] if tls else []),
        ],
    }


def _pod(name: str, image: str, bundle_bytes: int, tls: bool = False) -> dict[str, Any]:
    # A secret is mounted for reading alone; the service keeps its logs beside the keys: so they
    # are copied into a writable folder first, readable for their owner as they must be.
    copy = {
        "name": "keys",
        "image": image,
        "command": ["/bin/sh", "-c", f"cp /keys/* {STATE}/ && chmod 600 {STATE}/*"],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "keys", "mountPath": "/keys", "readOnly": True},
            {"name": "state", "mountPath": STATE},
        ],
    }
    certificate = {"name": "tls", "secret": {"secretName": f"{name}-tls", "defaultMode": 0o440}}
    return {
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 40,
        "initContainers": [copy],
        "containers": [_container(name, image, bundle_bytes, tls)],
        "volumes": [
            {"name": "keys", "secret": {"secretName": f"{name}-keys", "defaultMode": 0o440}},
            {"name": "state", "emptyDir": {"sizeLimit": "2Gi"}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}},
            *([certificate] if tls else []),
        ],
    }


def deployment(
    name: str, image: str, version: str, bundle_bytes: int, tls: bool = False
) -> dict[str, Any]:
    """Two replicas, one always up, new ones ready before old ones go."""
    labels = _labels(name)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {**labels, "app.kubernetes.io/version": version}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
            },
            "template": {
                "metadata": {"labels": labels},
                "spec": _pod(name, image, bundle_bytes, tls),
            },
        },
    }


def service(name: str, tls: bool = False) -> dict[str, Any]:
    """One address for all replicas."""
    port = {"name": "https", "port": 443} if tls else {"name": "http", "port": 80}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": _labels(name)},
        "spec": {
            "selector": _labels(name),
            "ports": [{**port, "targetPort": "http", "protocol": "TCP"}],
        },
    }


def network_policy(name: str) -> dict[str, Any]:
    """Asked on its port, and asking nobody: a model needs no network."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "labels": _labels(name)},
        "spec": {
            "podSelector": {"matchLabels": _labels(name)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"ports": [{"port": PORT, "protocol": "TCP"}]}],
            "egress": [],
        },
    }


def disruption_budget(name: str) -> dict[str, Any]:
    """One replica stays whatever is moved."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "labels": _labels(name)},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": _labels(name)}},
    }


def autoscaler(name: str) -> dict[str, Any]:
    """More replicas when processors are busy."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "labels": _labels(name)},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": 2,
            "maxReplicas": 10,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": 70},
                    },
                }
            ],
        },
    }


def inference_service(name: str, image: str, bundle_bytes: int) -> dict[str, Any]:
    """The same container as KServe has it: the predictor of an InferenceService."""
    pod = _pod(name, image, bundle_bytes)
    container = {**pod["containers"][0], "name": "kserve-container"}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": name, "labels": _labels(name)},
        "spec": {"predictor": {"minReplicas": 1, **pod, "containers": [container]}},
    }
