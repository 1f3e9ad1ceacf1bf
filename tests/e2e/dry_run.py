"""Asks the API server whether it would take an object, without keeping it."""

import base64
import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import yaml

RESOURCES: Mapping[str, str] = {
    "Deployment": "deployments",
    "DestinationRule": "destinationrules",
    "Gateway": "gateways",
    "HTTPRoute": "httproutes",
    "HorizontalPodAutoscaler": "horizontalpodautoscalers",
    "Namespace": "namespaces",
    "PodDisruptionBudget": "poddisruptionbudgets",
    "Service": "services",
    "ServiceAccount": "serviceaccounts",
    "VirtualService": "virtualservices",
    "AuthorizationPolicy": "authorizationpolicies",
    "PeerAuthentication": "peerauthentications",
    "RequestAuthentication": "requestauthentications",
}
"""How the API calls the kinds that the program makes. Another kind is a KeyError: it belongs in here."""


class ApiServer:
    """Server-side applies that are only tried, as Pulumi's provider does them, over one connection."""

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        pair = folder / "client.pem"
        pair.touch(mode=0o600)
        parts = (base64.b64decode(user[part]) for part in ("client-certificate-data", "client-key-data"))
        pair.write_bytes(b"\n".join(parts))
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        context = ssl.create_default_context(cadata=authority)
        context.load_cert_chain(pair)
        self._client = httpx.Client(base_url=cluster["server"], verify=context, timeout=60)

    def refusal(self, manifest: Mapping[str, Any], namespace: str) -> str | None:
        """Try to apply the object in this namespace. None: it was taken."""
        manifest = {**manifest, "metadata": dict(manifest["metadata"])}
        group, kind = manifest["apiVersion"], manifest["kind"]
        path = f"/api/{group}" if "/" not in group else f"/apis/{group}"
        if kind != "Namespace":
            manifest["metadata"]["namespace"] = namespace
            path += f"/namespaces/{namespace}"
        answer = self._client.patch(
            f"{path}/{RESOURCES[kind]}/{manifest['metadata']['name']}",
            params={"dryRun": "All", "fieldManager": "e2e-property", "fieldValidation": "Strict"},
            headers={"content-type": "application/apply-patch+yaml"},
            content=json.dumps(manifest),
        )
        return None if answer.is_success else str(answer.json().get("message", answer.text))

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()
