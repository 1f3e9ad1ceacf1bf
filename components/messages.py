"""Every message that a stack file can raise. `tests/unit/test_messages.py` provokes each of them."""

from typing import Final

from components.faults import Message

# 0xx: what one value says by itself.

UNKNOWN_KEY: Final = Message(
    code="MESH001",
    rule="there is no such key here; the keys are: {known}",
    mend="{mend}",
)
"""Nobody would read it: a slip of the finger would be a setting that never holds."""
MISSING: Final = Message(
    code="MESH002",
    rule="this key is required",
    mend="{example}",
)
"""No value would be right for every stack."""
WRONG_TYPE: Final = Message(
    code="MESH003",
    rule="this must be {expected}",
    mend="{example}",
)
"""A value has its type by the way it is written: `"100"` is text, `100` is a number."""
OUT_OF_RANGE: Final = Message(
    code="MESH004",
    rule="this must be from {minimum} to {maximum}",
    mend="{set} {nearest}",
)
"""Kubernetes, Istio or Envoy would refuse the value, or take it for another."""
NOT_AMONG: Final = Message(
    code="MESH005",
    rule="this must be one of: {choices}",
    mend="{set} {nearest}",
)
"""No other word means anything here."""
FORM: Final = Message(
    code="MESH006",
    rule="this must be {says}",
    mend="{set} {example}",
)
"""Kubernetes, Istio or the registry would refuse the text when half of an update is done."""
KEY_FORM: Final = Message(
    code="MESH007",
    rule="the name of this key must be {says}",
    mend="rename the key in the stack file, for example to {example}",
)
"""The key becomes a name in the cluster, which would refuse it when half of an update is done."""
UNQUOTED: Final = Message(
    code="MESH008",
    rule="this is text, and without quotes YAML reads it as {read_as}",
    mend='write it in the stack file in quotes, digit for digit as you mean it: {key}: "{text}"',
)
"""YAML reads `4.10` as the number 4.1, and by then nobody can tell what was written."""
EXACTLY_ONE: Final = Message(
    code="MESH010",
    rule="exactly one of {choices} must be here; there is {found}",
    mend="{mend}",
)
"""The keys are different answers to a question that needs one."""
AT_MOST_ONE: Final = Message(
    code="MESH011",
    rule="at most one of {choices} can be here; there is {found}",
    mend="{mend}",
)
"""The keys exclude each other: of two, one would not hold."""
EMPTY: Final = Message(
    code="MESH012",
    rule="at least one entry must be here",
    mend="{example}",
)
"""What stands here means nothing without an entry."""
TWICE: Final = Message(
    code="MESH013",
    rule="each entry can be here once",
    mend="{rm}",
)
"""A double says nothing new, and Istio refuses some."""

# 1xx: what the values say together.

WEIGHT_SUM: Final = Message(
    code="MESH101",
    rule="the weights of all versions sum to 100; these sum to {total}",
    mend="{mend}",
)
WEIGHT_WITHOUT_VERSION: Final = Message(
    code="MESH102",
    rule="a weight belongs to one of the versions: {known}",
    mend="{rm}",
)
NAME_TOO_LONG: Final = Message(
    code="MESH103",
    rule="the Deployment is named {derived}: {length} characters, and Kubernetes takes 63",
    mend="shorten the name of the app or of the version by {excess} characters",
)
HOSTS_OVERLAP: Final = Message(
    code="MESH104",
    rule="Istio refuses a host that another host of the list already covers: {other}",
    mend="{rm}",
)
PORT_TWICE: Final = Message(
    code="MESH105",
    rule="port {port} is already taken by {other}",
    mend="{set} {free}",
)
NODE_PORT_TWICE: Final = Message(
    code="MESH106",
    rule="nodePort {port} is already taken by {other}",
    mend="{set} {free}",
)
SIDECAR_IGNORED: Final = Message(
    code="MESH107",
    rule="no sidecar comes into this pod, whatever the pod says: the namespace's injection is {injection}",
    mend="{mend}",
)
SIDECAR_PORT: Final = Message(
    code="MESH108",
    rule="the proxy in the pod listens on this port itself: 15000 to 15009, 15020, 15021, 15053 and 15090",
    mend="{set} 8080",
)
NAMESPACE_TAKEN: Final = Message(
    code="MESH109",
    rule="the stack owns its namespace and deletes it with itself; {name} belongs to {owner}",
    mend="{set} {suggestion}",
)
SECRET: Final = Message(
    code="MESH110",
    rule="this would stand readable in the cluster: its place is in plain Kubernetes objects",
    mend="keep the value in a Kubernetes Secret, and set the key again with --plaintext",
)
"""Whoever may read the namespace could read what was encrypted in the stack file."""

UNKNOWN_CONTEXT: Final = Message(
    code="MESH130",
    rule="the kubeconfig has no such context; it has: {known}",
    mend="kubectl config get-contexts, then: {set} NAME (or point KUBECONFIG at the file that has it)",
)
"""Without the context there is no cluster to ask, and every resource would fail by itself."""

# 2xx: what the cluster answers while the program runs.

NO_INGRESS_PORT: Final = Message(
    code="MESH201",
    rule="the ingress Service {service} has neither a port named http2 nor port {port}; its ports: {ports}",
    mend="pulumi config set --path 'mesh-app:gateway.port' PORT, with one of its ports",
)
"""The output `url` shows the ingress at its own port, and a port that is not there answers nobody."""
NO_ADDRESS: Final = Message(
    code="MESH202",
    rule="{service} has no load balancer's address to build the URL from",
    mend="pulumi config set --path 'mesh-app:ingress.address' ADDRESS (or ingress.node NODE, a node's name)",
)
"""A cluster without load balancers does not say where its ingress is reached."""
NO_NODE_ADDRESS: Final = Message(
    code="MESH203",
    rule="the node has neither an ExternalIP nor an InternalIP",
    mend="pulumi config set --path 'mesh-app:ingress.address' ADDRESS, and {rm}",
)
"""The output `url` shows the address of the node that the stack file names."""

TABLE: Final = {m.code: m for m in list(globals().values()) if isinstance(m, Message)}
"""All messages by code."""
