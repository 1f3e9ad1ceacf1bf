"""A kubectl that answers `get --filename=-` with those of some objects that are asked for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from components.rollout.kubectl import Kubectl, KubectlError

Object = Mapping[str, Any]


@dataclass(kw_only=True)
class Answers:
    """What it knows, and how often it was asked."""

    objects: list[Object]
    unserved: str = ""
    pod_issue: str = ""
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def get(self, words: tuple[str, ...], given: str) -> str:
        """Answer as kubectl does: one object alone where one was asked for, nothing where none is there."""
        self.asked.append(words)
        if words[0] == "apply":
            return ""
        wanted = json.loads(given)["items"]
        missing = [each["kind"] for each in wanted if each["kind"] in self.unserved.split()]
        pod_issue = self.pod_issue or "\n".join(
            f'no matches for kind "{each}" in version' for each in missing
        )
        if pod_issue:
            raise KubectlError(pod_issue)
        keys = [_key(each) for each in wanted]
        found = [each for each in self.objects if _key(each) in keys]
        if not found:
            return ""
        return json.dumps(found[0] if len(wanted) == 1 else {"kind": "List", "items": found})


def install(monkeypatch: pytest.MonkeyPatch, *objects: Object, unserved: str = "") -> Answers:
    """Put it in the place of kubectl."""
    answers = Answers(objects=list(objects), unserved=unserved)

    async def call(_: Kubectl, *words: str, given: str = "") -> str:
        return answers.get(words, given)

    monkeypatch.setattr(Kubectl, "__call__", call)
    return answers


def _key(each: Object) -> tuple[str, str, str | None, str]:
    metadata = each["metadata"]
    return each["apiVersion"], each["kind"], metadata.get("namespace"), metadata["name"]
