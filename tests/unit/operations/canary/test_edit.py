"""A step is written into the stack file, and every other character stays as a person wrote it."""

import difflib
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.canary.stack_file.edit import (
    Place,
    config_of,
    keys_of,
    with_traffic,
    without_versions,
    write,
)
from operations.canary.stack_file.yaml_text import UneditableStackFile
from operations.canary.traffic import Traffic
from tests.unit.operations.projects import CHECKOUT

ROUTE = {"name": "canary", "headers": {"x-user-group": {"regex": "in.*: #x"}}, "to": "v2", "inherit": True}
MIRROR = {"to": "v2", "percent": 10}

BLOCK = """\
# a comment
config:
  kubernetes:context: lab   # the lab
  mesh-app:versions:
    v1: {tag: "4.10"}
    v2:
      tag: '43'
  mesh-app:weights:
    # who gets what
    v1:   95   # most
    v2: 5
  mesh-app:routes:
  - name: insiders       # not indented
    headers: {x-user-group: insider}
    to: v2
  mesh-app:gateway: {hosts: ["*"]}
"""
FLOW = """\
config: {mesh-app:weights: {v1: 100,
   v2: 0},  "mesh-app:versions": {v1: {tag: "1"}, v2: {tag: "2"}}, mesh-app:routes: [
     {name: a, to: v1, headers: {x: y}} ]}
"""
SEVERAL = """\
config:
    mesh-app:services:
        shop:
            weights: {v1: 100}
            versions:
                v1: {tag: "1"}
                v2: {tag: "2"}
        cart:
            versions: {v1: {tag: "1"}}
            weights: {v1: 100}
"""
TEXTS = {
    "block": (BLOCK, Place(keys=("config",), prefix="mesh-app:")),
    "flow": (FLOW, Place(keys=("config",), prefix="mesh-app:")),
    "several": (SEVERAL, Place(keys=("config", "mesh-app:services", "shop"), prefix="")),
    "windows": (BLOCK.replace("\n", "\r\n"), Place(keys=("config",), prefix="mesh-app:")),
    "bare": (BLOCK.replace("mesh-app:", ""), Place(keys=("config",), prefix="")),
}


def changed_lines(before: str, after: str) -> list[str]:
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in lines if line[0] in "+-"]


def test_a_weight_is_two_changed_lines() -> None:
    """Comments, blanks and quotes stay, on the changed lines as well."""
    text, place = TEXTS["block"]
    after = with_traffic(text, place, Traffic(weights={"v1": 75, "v2": 25}))
    assert changed_lines(text, after) == [
        "-     v1:   95   # most",
        "+     v1:   75   # most",
        "-     v2: 5",
        "+     v2: 25",
    ]


@pytest.mark.parametrize("text", ["Pulumi.dev.yaml", "Pulumi.staging.yaml", "Pulumi.prod.yaml"])
def test_the_projects_own_stack_files_change_by_two_lines(text: str) -> None:
    """Whatever stands in them."""
    before = (CHECKOUT / text).read_text()
    place = Place.of("mesh-app", config_of(before), "springbootapp")
    after = with_traffic(before, place, Traffic(weights={"v1": 33, "v2": 67}))
    assert len(changed_lines(before, after)) == 4
    assert keys_of(after, place)["weights"] == {"v1": 33, "v2": 67}


@pytest.mark.parametrize("style", TEXTS)
def test_route_and_mirror_come_and_go_without_a_trace(style: str) -> None:
    """A step with both, then one without: the file is as before, to the last character."""
    text, place = TEXTS[style]
    weights = keys_of(text, place)["weights"]
    during = with_traffic(text, place, Traffic(weights=weights, route=ROUTE, mirror=MIRROR, owns_mirror=True))
    keys = keys_of(during, place)
    assert keys["routes"][0] == ROUTE
    assert keys["mirror"] == MIRROR
    twice = with_traffic(
        during, place, Traffic(weights=weights, route=ROUTE, mirror=MIRROR, owns_mirror=True)
    )
    assert twice == during
    assert with_traffic(during, place, Traffic(weights=weights, owns_mirror=True)) == text


@pytest.mark.parametrize("style", TEXTS)
def test_a_version_that_had_no_weight_gets_one(style: str) -> None:
    """It need not be named before."""
    text, place = TEXTS[style]
    after = with_traffic(text, place, Traffic(weights={"v1": 90, "v2": 0, "v3": 10}))
    assert keys_of(after, place)["weights"] == {"v1": 90, "v3": 10} | (
        {"v2": 0} if "v2" in keys_of(text, place)["weights"] else {}
    )


def test_a_services_own_mirror_is_left_alone() -> None:
    """Unless the plan has mirror steps, when a canary does not begin beside it."""
    text, place = TEXTS["block"]
    text = text.replace("  mesh-app:weights:", "  mesh-app:mirror: {to: v2}\n  mesh-app:weights:")
    after = with_traffic(text, place, Traffic(weights={"v1": 95, "v2": 5}))
    assert after == text


def test_old_versions_go_with_their_lines() -> None:
    """From versions and weights, in any style."""
    for style, (text, place) in TEXTS.items():
        after = with_traffic(text, place, Traffic(weights={"v1": 0, "v2": 100}))
        after = without_versions(after, place, {"v1"})
        keys = keys_of(after, place)
        assert keys["weights"] == {"v2": 100}, style
        assert list(keys["versions"]) == ["v2"], style


@pytest.mark.parametrize(
    "text",
    [
        "x: &w {v1: 100, v2: 0}\nconfig:\n  mesh-app:weights: *w\n",
        "x: &w {v1: 100, v2: 0}\nconfig:\n  mesh-app:weights:\n    <<: *w\n",
        "config:\n  mesh-app:weights: {v1: &a 100, v2: 0}\n  other: *a\n",
    ],
)
def test_what_cannot_change_by_itself_is_told(text: str) -> None:
    """A shared value is never changed for others."""
    with pytest.raises((UneditableStackFile, yaml.YAMLError)):
        with_traffic(text, Place(keys=("config",), prefix="mesh-app:"), Traffic(weights={"v1": 90, "v2": 10}))


def test_the_file_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    """Replaced in one go, where it really is, and nothing is left beside it."""
    real = tmp_path / "real.yaml"
    real.write_text("old")
    real.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(real)
    write(link, "new\r\n")
    assert link.is_symlink()
    assert real.read_bytes() == b"new\r\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert {path.name for path in tmp_path.iterdir()} == {"real.yaml", "link.yaml"}


NAMES = st.sampled_from(["v1", "v2", "v3", "1", "a-b"])
COMMENTS = st.sampled_from(["", "  # c", "\n    # c: {v1: 3}", "\n"])


@st.composite
def stack_texts(draw: Any) -> tuple[str, dict[str, int]]:  # noqa: ANN401 - hypothesis' own
    """Stack files in mixed styles."""
    versions = draw(st.lists(NAMES, min_size=2, max_size=4, unique=True))
    weights = {version: draw(st.integers(0, 100)) for version in versions}
    named = {version: weight for version, weight in weights.items() if weight or draw(st.booleans())}
    quote = {version: draw(st.sampled_from(["'{}'", '"{}"', "{}"])).format(version) for version in versions}
    entries = [f"{quote[version]}: {weight}" for version, weight in named.items()]
    if draw(st.booleans()):
        inside = f" {{{', '.join(entries)}}}{draw(COMMENTS)}\n"
    else:
        inside = (
            "\n" + "".join(f"      {entry}{draw(COMMENTS)}\n" for entry in entries) if entries else " {}\n"
        )
    routes = draw(
        st.sampled_from(
            [
                "",
                "  mesh-app:routes:\n    - name: a\n      to: x\n    # last\n",
                "  mesh-app:routes:\n  - {name: a}\n\n  - name: b\n",
                "  mesh-app:routes: [{name: a},\n    {name: b}]\n",
            ]
        )
    )
    tail = draw(st.sampled_from(["", "  other: 1", "# end\n", "  other: |\n    v1: 3\n"]))
    before = draw(st.sampled_from(["", "# ä\n", "encryptionsalt: v1:x\n"]))
    return f"{before}config:\n  mesh-app:weights:{inside}{routes}{tail}", weights


@settings(max_examples=100, deadline=None)
@given(stack_texts(), st.data())
def test_any_style_takes_any_step_and_gives_it_back(
    drawn: tuple[str, dict[str, int]], data: st.DataObject
) -> None:
    """What is written is what is read; back again, lines that were there are as they were."""
    text, weights = drawn
    place = Place(keys=("config",), prefix="mesh-app:")
    other = {version: data.draw(st.integers(0, 100)) for version in weights}
    step = Traffic(weights=other, route=ROUTE, mirror=MIRROR, owns_mirror=True)
    during = with_traffic(text, place, step)
    keys = keys_of(during, place)
    assert {version: keys["weights"].get(version, 0) for version in other} == other
    assert keys["routes"][0] == ROUTE
    after = with_traffic(during, place, Traffic(weights=weights, owns_mirror=True))
    gone = [line for line in changed_lines(text, after) if line[0] == "-" and line[1:].strip()]
    named = keys_of(text, place)["weights"] or {}
    if set(named) >= {version for version in other if other[version]}:
        assert after == text
    assert not gone or not named or "{" in text.partition("weights:")[2].splitlines()[0]
