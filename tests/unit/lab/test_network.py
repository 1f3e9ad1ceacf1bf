import json
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.node import firewall, network
from lab.node.network import BRIDGE, Network
from tests.unit.lab.conftest import Programs

SETTINGS = {
    "net.ipv4.ip_forward": "0\n",
    "net.bridge.bridge-nf-call-iptables": "0\n",
    f"net.ipv4.conf.{BRIDGE}.route_localnet": "0\n",
    "net.ipv4.conf.all.route_localnet": "0\n",
}


class Machine:
    """A machine of folders and programs that only pretend."""

    def __init__(self, root: Path, programs: Programs) -> None:
        self.root = root
        self.programs = programs
        self.network = Network(environment={"PATH": str(programs.folder)}, state=root / "state")
        for name, value in SETTINGS.items():
            self.setting(name).parent.mkdir(parents=True, exist_ok=True)
            self.setting(name).write_text(value)
        for folder in ("links", "state", "devices"):
            (root / folder).mkdir()
        for name in ("ip", "modprobe", "nft", "iptables", "iptables-save", "iptables-restore"):
            programs.add_recorder(name)

    def setting(self, name: str) -> Path:
        """The file of a kernel setting."""
        return self.root.joinpath("settings", *name.split("."))

    @property
    def settings(self) -> dict[str, str]:
        """What the kernel's settings are now."""
        return {name: self.setting(name).read_text().strip() for name in SETTINGS}

    @property
    def memory(self) -> Path:
        """Where the network keeps how the machine was."""
        return self.root / "state" / "machine.json"

    def has_chains(self, *chains: str) -> None:
        """Let table nat have these chains."""
        saved = "".join(f":{chain} - [0:0]\\n" for chain in chains)
        self.programs.add_recorder("iptables-save", f"printf '*nat\\n{saved}COMMIT\\n'")

    def has_link(self, name: str, bridge: str = "") -> None:
        """Let a network interface be there, on a bridge if one is given."""
        (self.root / "links" / name).mkdir()
        if bridge:
            (self.root / "links" / name / "master").symlink_to(self.root / "links" / bridge)

    def called(self, program: str) -> list[str]:
        """How one of the programs was called."""
        return [call for call in self.programs.calls if call.split()[0] == program]


@pytest.fixture
def machine(tmp_path: Path, programs: Programs, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine that never had a lab."""
    monkeypatch.setattr(network, "LINKS", tmp_path / "links")
    monkeypatch.setattr(network, "SETTINGS", tmp_path / "settings")
    monkeypatch.setattr(firewall, "IPV6", tmp_path / "if_inet6")
    return Machine(tmp_path, programs)


def test_up_makes_the_bridge_and_all_around_it(machine: Machine) -> None:
    """Bridge, node's address, the way to Services, and kernel settings.

    Packets for loopback that come in at every interface are kube-proxy's to allow, with its own rule beside.
    """
    machine.network.up()
    assert machine.called("ip") == [
        f"ip link add {BRIDGE} type bridge",
        f"ip address replace 10.244.0.1/24 dev {BRIDGE}",
        f"ip link set {BRIDGE} up",
        f"ip route replace 10.96.0.0/16 dev {BRIDGE}",
    ]
    assert machine.settings == {**dict.fromkeys(SETTINGS, "1"), "net.ipv4.conf.all.route_localnet": "0"}


def test_the_rules_are_there_before_the_machine_forwards_anything(machine: Machine) -> None:
    """At no moment of the start can another host reach the lab."""
    forwards = machine.setting("net.ipv4.ip_forward")
    noted = machine.root / "forwards"
    machine.programs.add_recorder("iptables-restore", f"cat {forwards} >> {noted}")
    machine.network.up()
    assert noted.read_text() == "0\n"
    assert forwards.read_text() == "1"


def test_up_leaves_what_is_there(machine: Machine) -> None:
    """A bridge that exists is not made a second time."""
    machine.has_link(BRIDGE)
    machine.network.up()
    assert not [call for call in machine.called("ip") if "add" in call.split()]


def test_up_loads_the_kernels_module_where_it_is_missing(machine: Machine) -> None:
    """Without it Services do not work between pods of one bridge."""
    missing = machine.setting("net.bridge.bridge-nf-call-iptables")
    machine.network.up()
    assert machine.called("modprobe") == []
    missing.unlink()
    machine.programs.add_recorder("modprobe", f"echo 1 > {missing}")
    machine.network.up()
    assert machine.called("modprobe") == ["modprobe br_netfilter"]


def test_a_command_that_fails_is_shown_with_its_output(machine: Machine) -> None:
    """In a container without the right to create a bridge, the message has the output of `ip`."""
    machine.programs.add("ip", 'echo "RTNETLINK answers: Operation not permitted" >&2; exit 2')
    with pytest.raises(LabError) as issue:
        machine.network.up()
    assert issue.value.what.startswith(f"`ip link add {BRIDGE} type bridge` failed")
    assert issue.value.evidence == "RTNETLINK answers: Operation not permitted"
    assert not machine.memory.exists()


def test_a_setting_that_cannot_be_made_is_named(machine: Machine) -> None:
    """Read-only settings, as in a container, are one clear error; those changed before are stored."""
    refused = machine.setting(f"net.ipv4.conf.{BRIDGE}.route_localnet")
    refused.unlink()
    refused.mkdir()
    with pytest.raises(LabError) as issue:
        machine.network.up()
    assert issue.value.what.startswith(
        f"the kernel setting net.ipv4.conf.{BRIDGE}.route_localnet cannot be set to 1"
    )
    machine.network.down(set())
    assert machine.setting("net.ipv4.ip_forward").read_text() == "0"


def test_down_keeps_the_chains_that_were_there_before(machine: Machine) -> None:
    """Noted at the first `up`, and left alone however often the lab was repaired since."""
    machine.has_chains("KUBE-THEIRS")
    machine.network.up()
    machine.has_chains("KUBE-THEIRS", "KUBE-LABS")
    machine.network.up()
    restored = machine.root / "restored"
    machine.programs.add_recorder("iptables-restore", f"cat > {restored}")
    machine.network.down(set())
    assert restored.read_text() == "*nat\n-F KUBE-LABS\n-X KUBE-LABS\nCOMMIT\n"


def test_down_removes_the_labs_links_and_no_others(machine: Machine) -> None:
    """The bridge and the pods' ends on it go; another container engine's stay."""
    machine.has_link(BRIDGE)
    machine.has_link("docker0")
    machine.has_link("veth0a", BRIDGE)
    machine.has_link("veth0b", "docker0")
    machine.network.down(set())
    assert machine.called("ip") == ["ip link delete veth0a", f"ip link delete {BRIDGE}"]


def test_down_removes_the_pods_links_without_their_bridge(machine: Machine) -> None:
    """Without the bridge, the links in the CNI results are removed, as far as they still exist."""
    machine.network.up()
    machine.has_link("veth0a")
    machine.has_link("veth0b", "docker0")
    machine.network.down({"veth0a", "veth0c"})
    assert "ip link delete veth0a" in machine.called("ip")
    assert "ip link delete veth0b" not in machine.called("ip")
    assert "ip link delete veth0c" not in machine.called("ip")


def test_down_puts_the_machines_settings_back(machine: Machine) -> None:
    """As they were before the first `up`, however often the lab was repaired since."""
    machine.setting("net.ipv4.ip_forward").write_text("1\n")
    before = machine.settings
    machine.network.up()
    machine.network.up()
    assert machine.memory.stat().st_mode & 0o777 == 0o600
    machine.network.down(set())
    bridges = f"net.ipv4.conf.{BRIDGE}.route_localnet"  # goes with the bridge
    assert {**machine.settings, bridges: ""} == {**before, bridges: ""}
    assert not machine.memory.exists()


def test_down_removes_the_tables_that_only_the_lab_used(machine: Machine) -> None:
    """A table that existed before stays, and so does one with rules of others."""
    listed = machine.root / "tables"
    listed.write_text("table ip filter\ntable inet firewalld\n")
    machine.programs.add_recorder(
        "nft",
        f'case "$*" in\n"list tables") cat {listed};;\n'
        '*"table ip nat") printf "table ip nat {\\n\\tchain OUTPUT {\\n'
        '\\t\\ttype nat hook output priority -100; policy accept;\\n\\t}\\n}\\n";;\n'
        '*"table ip mangle") printf "table ip mangle {\\n\\tchain X {\\n'
        '\\t\\tcounter drop\\n\\t}\\n}\\n";;\nesac',
    )
    machine.network.up()
    listed.write_text("table ip filter\ntable ip nat\ntable ip mangle\n")
    machine.network.down(set())
    assert [call for call in machine.called("nft") if "delete" in call] == ["nft delete table ip nat"]


def test_down_after_a_reboot(machine: Machine) -> None:
    """The bridge is gone, and the kernel module with its setting: nothing to put back, and no error."""
    machine.network.up()
    for name in ("net.bridge.bridge-nf-call-iptables", f"net.ipv4.conf.{BRIDGE}.route_localnet"):
        machine.setting(name).unlink()
    machine.network.down(set())
    assert not machine.memory.exists()
    assert not machine.setting("net.bridge.bridge-nf-call-iptables").exists()


@pytest.mark.parametrize("memory", ["", '{"sysctls"'])
def test_down_with_half_a_memory(machine: Machine, memory: str) -> None:
    """If the stored settings cannot be read, settings stay as they are, and the bridge is removed."""
    machine.has_link(BRIDGE)
    machine.memory.write_text(memory)
    machine.network.down(set())
    assert machine.called("ip") == [f"ip link delete {BRIDGE}"]
    assert not machine.memory.exists()


def test_down_where_no_lab_was_touches_nothing(machine: Machine) -> None:
    """On a machine with another Kubernetes, `make down` does not take away its rules."""
    machine.has_chains("KUBE-SERVICES")
    assert not machine.network.made
    machine.network.down(set())
    assert machine.programs.calls == []


def test_down_where_only_the_bridge_is_left(machine: Machine) -> None:
    """Without the state folder, the bridge shows that there was a lab."""
    machine.has_link(BRIDGE)
    assert machine.network.made
    machine.network.down(set())
    assert f"ip link delete {BRIDGE}" in machine.called("ip")


def test_the_memory_is_what_the_machine_was(machine: Machine) -> None:
    """Of the settings that outlive the bridge; the bridge's own go with it."""
    machine.network.up()
    remembered = json.loads(machine.memory.read_text())
    assert remembered["sysctls"] == {name: "0" for name in SETTINGS if BRIDGE not in name}
