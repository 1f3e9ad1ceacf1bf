"""Every message that a stack file can raise. `tests/unit/test_messages.py` provokes each of them."""

from typing import Final

from components.schema.issues import Message

# 0xx: what one value says by itself.

UNKNOWN_KEY: Final = Message(
    code="MESH001",
    rule="there is no such key here; the keys are: {known}",
    fix="{fix}",
)
"""Nobody would read it: a slip of the finger would be a setting that never holds."""
MISSING: Final = Message(
    code="MESH002",
    rule="this key is required",
    fix="{example}",
)
"""No value would be right for every stack."""
WRONG_TYPE: Final = Message(
    code="MESH003",
    rule="this must be {expected}",
    fix="{example}",
)
"""A value has its type by the way it is written: `"100"` is text, `100` is a number."""
OUT_OF_RANGE: Final = Message(
    code="MESH004",
    rule="this must be from {minimum} to {maximum}",
    fix="{set} {nearest}",
)
"""Kubernetes, Istio or Envoy would refuse the value, or take it for another."""
NOT_AMONG: Final = Message(
    code="MESH005",
    rule="this must be one of: {choices}",
    fix="{set} {nearest}",
)
"""No other word means anything here."""
INVALID_FORMAT: Final = Message(
    code="MESH006",
    rule="this must be {description}",
    fix="{set} {example}",
)
"""Kubernetes, Istio or the registry would refuse the text when half of an update is done."""
INVALID_KEY: Final = Message(
    code="MESH007",
    rule="the name of this key must be {description}",
    fix="rename the key in the stack file, for example to {example}",
)
"""The key becomes a name in the cluster, which would refuse it when half of an update is done."""
UNQUOTED: Final = Message(
    code="MESH008",
    rule="this is text, and without quotes YAML reads it as {read_as}",
    fix='write it in the stack file in quotes, digit for digit as you mean it: {key}: "{text}"',
)
"""YAML reads `4.10` as the number 4.1, and by then nobody can tell what was written."""
NOT_RE2: Final = Message(
    code="MESH009",
    rule="this must be a regular expression of RE2, of at most {longest} characters: {why}",
    fix="{set} {example}",
)
"""Envoy compiles expressions with RE2, which has neither look-around nor references to groups."""
EXACTLY_ONE: Final = Message(
    code="MESH010",
    rule="exactly one of {choices} must be here; there is {found}",
    fix="{fix}",
)
"""The keys are different answers to a question that needs one."""
AT_MOST_ONE: Final = Message(
    code="MESH011",
    rule="at most one of {choices} can be here; there is {found}",
    fix="{fix}",
)
"""The keys exclude each other: of two, one would not hold."""
AT_LEAST_ONE: Final = Message(
    code="MESH014",
    rule="at least one of {choices} must be here",
    fix="{fix}",
)
"""Without any of the keys, what stands here says nothing."""
EMPTY: Final = Message(
    code="MESH012",
    rule="at least one entry must be here",
    fix="{example}",
)
"""What stands here means nothing without an entry."""
TWICE: Final = Message(
    code="MESH013",
    rule="each entry can be here once",
    fix="{rm}",
)
"""A double says nothing new, and Istio refuses some."""

KEY_TWICE: Final = Message(
    code="MESH228",
    rule="the name is compared without case, and {other} is the same name",
    fix="{rm}",
)
"""Of two values for one header only one could hold."""

# 1xx: what the values say together.

WEIGHT_SUM: Final = Message(
    code="MESH101",
    rule="the weights of all versions sum to 100; these sum to {total}",
    fix="{fix}",
)
WEIGHT_WITHOUT_VERSION: Final = Message(
    code="MESH102",
    rule="a weight belongs to one of the versions: {known}",
    fix="{rm}",
)
NAME_TOO_LONG: Final = Message(
    code="MESH103",
    rule="the Deployment is named {derived}: {length} characters, and Kubernetes takes 63",
    fix="shorten the name of the app or of the version by {excess} characters",
)
HOSTS_OVERLAP: Final = Message(
    code="MESH104",
    rule="Istio refuses a host that another host of the list already covers: {other}",
    fix="{rm}",
)
PORT_TWICE: Final = Message(
    code="MESH105",
    rule="port {port} is already taken by {other}",
    fix="{set} {free}",
)
NODE_PORT_TWICE: Final = Message(
    code="MESH106",
    rule="nodePort {port} is already taken by {other}",
    fix="{set} {free}",
)
SIDECAR_IGNORED: Final = Message(
    code="MESH107",
    rule="no sidecar comes into this pod, whatever the pod says: the namespace's injection is {injection}",
    fix="{fix}",
)
PROXY_PORT: Final = Message(
    code="MESH108",
    rule="the proxy in the pod listens on this port itself: 15000 to 15009, 15020, 15021, 15053 and 15090",
    fix="{set} 8080",
)
NAMESPACE_TAKEN: Final = Message(
    code="MESH109",
    rule="the stack owns its namespace and deletes it with itself; {name} belongs to {owner}",
    fix="{set} {suggestion}",
)
SECRET: Final = Message(
    code="MESH110",
    rule="this would stand readable in the cluster: its place is in plain Kubernetes objects",
    fix="keep the value in a Kubernetes Secret, and set the key again with --plaintext",
)
"""Whoever may read the namespace could read what was encrypted in the stack file."""

UNKNOWN_CONTEXT: Final = Message(
    code="MESH130",
    rule="the kubeconfig has no such context; it has: {known}",
    fix="kubectl config get-contexts, then: {set} NAME (or point KUBECONFIG at the file that has it)",
)
"""Without the context there is no cluster to ask, and every resource would fail by itself."""

NO_ROOM_TO_SCALE: Final = Message(
    code="MESH111",
    rule="an autoscaler has at most as many pods as this, and at least {least}",
    fix="{set} {least}",
)
REQUEST_OVER_LIMIT: Final = Message(
    code="MESH112",
    rule="the limit is at least what is requested: {request}",
    fix="{fix}",
)
BUDGET_BLOCKS: Final = Message(
    code="MESH113",
    rule="of {fewest} pods this never lets one go, so that no node under them can be drained",
    fix="{fix}",
)
ROUTE_NAME_TAKEN: Final = Message(
    code="MESH120",
    rule="each route has a name of its own; this one is taken by {other}",
    fix="{set} {free}",
)
NO_SUCH_VERSION: Final = Message(
    code="MESH121",
    rule="traffic goes to one of the versions: {known}",
    fix="{set} {nearest}",
)
REDIRECT_ALONE: Final = Message(
    code="MESH122",
    rule="the gateway answers a redirect itself, and this acts on requests that reach a version",
    fix="{rm}",
)
CONDITION_TWICE: Final = Message(
    code="MESH123",
    rule="the route says this for all its alternatives already",
    fix="{rm}",
)
COOKIES_TWICE: Final = Message(
    code="MESH124",
    rule="cookies become a condition on the header cookie, and a header has one condition",
    fix="{rm}",
)
COOKIES_TOO_LONG: Final = Message(
    code="MESH125",
    rule="Istio takes {longest} characters for an expression; these cookies in all orders make {length}",
    fix="shorten the conditions on cookies, or leave some out: {rm}",
)
SOURCE_OUTSIDE_MESH: Final = Message(
    code="MESH126",
    rule="only callers in the mesh have a source, and with mesh: false they do not follow these routes",
    fix="{fix}",
)
HEADER_TWICE: Final = Message(
    code="MESH128",
    rule="a header is set, added or removed: {other} names it too",
    fix="{rm}",
)
NO_SUCH_GROUP: Final = Message(
    code="MESH129",
    rule="the expression of match has {groups} groups, and this names group {group}",
    fix="put the parts to keep into parentheses in match, or leave the number out",
)
CATCH_ALL: Final = Message(
    code="MESH132",
    rule="this takes every request, and neither the routes below nor the weights would get one",
    fix="{rm}; what is meant for all traffic belongs into weights",
)
NEVER_REACHED: Final = Message(
    code="MESH131",
    rule="{other} stands above and takes these requests already",
    fix="move the narrower route up, or take this one away: {rm}",
)
RETRIES_OFF: Final = Message(
    code="MESH140",
    rule="with 0 attempts nothing is tried again, and Istio refuses to be told how",
    fix="{rm}",
)
TRY_OUTLASTS: Final = Message(
    code="MESH141",
    rule="a single try may not last longer than the whole request, which may take {timeout}",
    fix="{set} {timeout}",
)
FAILOVER_BLIND: Final = Message(
    code="MESH142",
    rule="failover needs outliers, which tell the good pods of {version} from the bad ones",
    fix="{fix}",
)
FAILOVER_IN_PLACE: Final = Message(
    code="MESH143",
    rule="traffic fails over to another region than it comes from",
    fix="{set} REGION",
)
LOCALITY_SUM: Final = Message(
    code="MESH144",
    rule="the shares of all localities sum to 100; these sum to {total}",
    fix="{fix}",
)
LOCALITIES_OVERLAP: Final = Message(
    code="MESH145",
    rule="a locality is named once; {other} names it already",
    fix="{rm}",
)
TWO_FORMS: Final = Message(
    code="MESH150",
    rule="a stack file has one service at its top or several under services; of one service is here: {keys}",
    fix="in the stack file, move {keys} under mesh-app:services, below the service's name; or {rm}",
)
"""With both it would be open to whom the keys at the top belong."""
NAME_TWICE: Final = Message(
    code="MESH151",
    rule="the Deployment would be named {derived}, as that of {other}",
    fix="give the service or the version another name in the stack file",
)
"""`a` with the version `b-v1` and `a-b` with `v1` would be one object."""
HOST_TWICE: Final = Message(
    code="MESH152",
    rule="requests for this host on {where} already go to {other}",
    fix="{set} {example}",
)
"""Istio serves the older of the two Gateways and says nothing about the other (IST0145)."""
TWO_PROTOCOLS: Final = Message(
    code="MESH153",
    rule="{scheme} cannot share port {port} with {taken}, which {other} says",
    fix="{set} {free}",
)
"""Istio keeps the server that came first and drops the other in silence."""
REDIRECT_ASTRAY: Final = Message(
    code="MESH154",
    rule="the redirect leads to port 443, where an https URL without a port goes",
    fix="{set} 443, or {off}",
)
"""Clients would be sent to where nobody listens."""
CERTIFICATE_TWICE: Final = Message(
    code="MESH155",
    rule="this certificate already serves the hosts of {other}",
    fix="{set} NAME, another Secret; or put all hosts into that listener; or share it by gateway.existing",
)
"""Browsers use one connection for all hosts of a certificate; each listener knows only its own (IST0138)."""
NO_OWN_GATEWAY: Final = Message(
    code="MESH156",
    rule="no service here has a Gateway of its own, which would answer on these ports",
    fix="{rm}",
)
"""The stack adds no server to a Gateway that is somebody else's."""
GATEWAY_UNUSED: Final = Message(
    code="MESH157",
    rule="with mesh: only nobody outside reaches the service",
    fix="{rm}, or {fix}",
)
"""Hosts that lead nowhere would be missed only when somebody calls."""
NO_SUCH_GATEWAY: Final = Message(
    code="MESH158",
    rule="in the stack's own namespace are the Gateways of its services alone: {known}",
    fix="{set} NAMESPACE/NAME, of a Gateway that is there; or {rm}",
)
"""Routes that hang on a Gateway that is not there take no request (IST0101)."""
HOST_NOT_SERVED: Final = Message(
    code="MESH159",
    rule="the Gateway {gateway} serves other hosts: {hosts}",
    fix="name a host of its, or add this one there with '*.' in front of its domain",
)
"""Requests for this host do not come through that Gateway (IST0132)."""

AMBIENT_CALLERS: Final = Message(
    code="MESH225",
    rule="in an ambient mesh no proxy of a caller reads requests: it takes a waypoint, which this stack does "
    "not make, so callers inside the mesh would follow neither weights nor routes",
    fix="{fix}",
)
"""Every ready pod would get their requests, also those of a version with weight 0."""
REWRITE_WITHOUT_PATH: Final = Message(
    code="MESH226",
    rule="the new path replaces what the route's uri matched, and the route takes any path: it would stand "
    "before each of them, /beta and /hello as /betahello",
    fix="to put it before every path, {fix}",
)
"""A rewrite of the path needs a condition on the path, in every alternative of anyOf."""
REWRITE_TOO_LONG: Final = Message(
    code="MESH227",
    rule="where the prefix or the new path ends with / and the other does not, the rewrite becomes an "
    "expression, of which Istio takes {longest} characters; this one has {length}",
    fix="end both with /, or neither; or shorten the prefixes of the route",
)
"""Istio's webhook would refuse the route when half of the stack is there already."""

STAR_WITH_CREDENTIALS: Final = Message(
    code="MESH231",
    rule="with allowCredentials a browser takes * for a name and not for all of them",
    fix="write the names in its place, or {off}",
)
"""Envoy passes the star on as it is, and the browser refuses the call."""

REDIRECT_LOOP: Final = Message(
    code="MESH232",
    rule="the new address is one that this route takes again: clients would be sent there until they give up",
    fix="name another uri, or another host: {fix}",
)
"""The gateway answers each of these requests with the same redirect."""

UNENFORCED: Final = Message(
    code="MESH160",
    rule="the proxy of each pod enforces this, and {which} no proxy: {why}",
    fix="{fix}",
)
"""Without a proxy nobody looks at certificates, callers and tokens: the stack would look safe, and not be."""
GATEWAY_REFUSED: Final = Message(
    code="MESH161",
    rule="the ingress gateway must be among the callers, or every request from outside gets 403",
    fix="{fix}",
)
"""A list of callers refuses everybody else, and the service is reached from outside as well."""
TOKEN_UNKNOWN: Final = Message(
    code="MESH229",
    rule="without security.jwt no proxy reads tokens",
    fix="{rm}",
)
"""A token that nobody reads can be neither asked for nor forgone."""
TOKEN_UNSAID: Final = Message(
    code="MESH230",
    rule="every entry of allow names paths and no callers, which are open without a token, and jwt.required "
    "wants one: no call would need it",
    fix="{fix}",
)
"""Whether such paths are public or only limited cannot be seen, and the wrong guess would open them."""
NEEDS_WAYPOINT: Final = Message(
    code="MESH162",
    rule="an ambient mesh has no proxy in the pods that reads requests: there it takes a waypoint, "
    "which this stack does not make",
    fix="{fix}",
)
"""In an ambient mesh the node's proxy sees connections only, and refuses a policy that is about requests."""
NOT_A_KEY_SET: Final = Message(
    code="MESH163",
    rule="this must be the JSON text of public keys that the proxies can read: {why}",
    fix='{set} "$(cat FILE)", with the issuer\'s own key set in FILE',
)
"""Istio's webhook refuses a part of what is wrong with keys. With the rest, every token gets 401."""
PRIVATE_KEY: Final = Message(
    code="MESH164",
    rule="with the private part of a key, whoever reads this can sign tokens; only public parts belong here",
    fix='make a new key, for this one has been seen; then {set} "$(cat FILE)", with its public part in FILE',
)
"""The keys stand readable in the stack file and in the cluster."""
CANARY_FALLS: Final = Message(
    code="MESH170",
    rule="a step gives the new version at least what the step before gave it: {before}",
    fix="{fix}",
)
"""A canary that gives less than before is on its way back, and that is no step of a plan."""
SAMPLE_OUTLASTS: Final = Message(
    code="MESH171",
    rule="a look is no longer than the step that it judges: {hold}",
    fix="{set} TIME, shorter than that; or make the step longer",
)
"""The step would end before its first look, judged by nothing."""
OLD_UNNAMED: Final = Message(
    code="MESH172",
    rule="to compare the versions, the expression must name the one that is asked about: {version}",
    fix="write {version} where the expression selects by version, or leave timesOld out",
)
"""Without it the expression has one value for both versions, and the comparison always holds."""

NO_EQUIVALENT: Final = Message(
    code="MESH190",
    rule="the Gateway API has no equivalent: {why}",
    fix="{rm}, or {switch}",
)
"""What `api: gateway-api` cannot express is refused: left out, it would be missed in silence."""
TOO_MANY: Final = Message(
    code="MESH191",
    rule="one HTTPRoute or Gateway holds at most {most} {what}; there are {count}",
    fix="take some away, or {switch}",
)
"""The API server would refuse the route when half of the stack is there already."""
OVERTAKEN: Final = Message(
    code="MESH192",
    rule="the Gateway API tries the more specific first, whatever the order of the list: {other} would take "
    "requests before {name}",
    fix="give {name} the narrower conditions or put it below {other}, or {switch}",
)
"""Routes are tried in the order of the stack file, or the stack file is refused."""
SERVICE_TWICE: Final = Message(
    code="MESH193",
    rule="each version has a Service for the Gateway API, and {name} is another service of the stack",
    fix="give the version or that service another name, or {switch}",
)
"""Two objects of one name would be one, and each update would take it from the other."""

# 2xx: what the cluster answers while the program runs; from 205 on, more of the stack file.

NO_INGRESS_PORT: Final = Message(
    code="MESH201",
    rule="the ingress Service {service} has no port {port}, by number or usual name; its ports: {ports}",
    fix="{set} PORT, with one of its ports",
)
"""The output `url` shows the ingress at its own port, and a port that is not there answers nobody."""
NO_ADDRESS: Final = Message(
    code="MESH202",
    rule="{service} has no load balancer's address to build the URL from",
    fix="pulumi config set --path 'mesh-app:ingress.address' ADDRESS (or ingress.node NODE, a node's name)",
)
"""A cluster without load balancers does not say where its ingress is reached."""
NO_NODE_ADDRESS: Final = Message(
    code="MESH203",
    rule="the node has neither an ExternalIP nor an InternalIP",
    fix="pulumi config set --path 'mesh-app:ingress.address' ADDRESS, and {rm}",
)
"""The output `url` shows the address of the node that the stack file names."""
WRONG_CLUSTER: Final = Message(
    code="MESH204",
    rule="context {context} leads to the cluster whose namespace {witness} has the uid {found}, "
    "and the stack is pinned to another",
    fix="name the context of the right cluster: pulumi config set kubernetes:context NAME; this tells which "
    "one a context leads to: kubectl --context {context} get namespace {witness} -o "
    "jsonpath={{.metadata.uid}}; or, if this is the right one: {set} {found}",
)
"""A context is a name in somebody's file, and can lead elsewhere tomorrow."""
SERVICE_PORT_MOVES: Final = Message(
    code="MESH210",
    rule="the Service leaves port {old}: for some milliseconds proxies have no cluster for requests on their "
    "way (measured: 15 of 81,065 lost), and callers in the mesh that name port {old} get no answer",
    fix="in two updates that lose none from outside: give the service another name together with the port "
    "({name}) and run `pulumi up`; then its old name, and `pulumi up`. Without that, this update goes on",
)
"""A Kubernetes Service that has two ports at a time has two names for them, and a stack file has one."""
ADDRESS_GOES: Final = Message(
    code="MESH211",
    rule="{closed} is closed: requests to it are not answered once the ingress has followed",
    fix="if clients still use it, in two updates: first keep it beside the new one ({path}.listeners); take "
    "it away when no client uses it. Without that, this update goes on",
)
"""Clients change their address later than the ingress."""
INGRESS_LEFT: Final = Message(
    code="MESH212",
    rule="the Gateway moves from the ingress {old} to another one: requests that come in by the old one are "
    "not answered any more",
    fix="no two updates of one stack keep both: deploy a second stack at the new ingress (another "
    "namespace, the same hosts), move the clients, then destroy this one. Without that, this update goes on",
)
"""A Gateway selects one ingress."""
NODE_PORT_GOES: Final = Message(
    code="MESH213",
    rule="node port {port} is closed: connections to it are refused",
    fix="if clients still use it, in two updates: add the new port beside it, and take it away when no "
    "client uses it. Without that, this update goes on",
)
"""Clients change their address later than the ingress."""
FEWER_PODS_FIRST: Final = Message(
    code="MESH214",
    rule="{version} goes from {before} to {after} pods before its weight goes from {old} to {new}: until "
    "then the fewer pods serve {old} %",
    fix="in two updates: first the weights, then {path}. Without that, this update goes on",
)
"""Pods are changed before routes, so that a route leads to pods that are there."""

MUTUAL_AND_PLAIN: Final = Message(
    code="MESH265",
    rule="MUTUAL lets in only clients with a certificate, and the extra ports of the ingress ({ports}) serve "
    "the same hosts over plain HTTP",
    fix="{away}, or move this service into a stack without extra ports",
)
"""A client without a certificate would come in by the extra port, with the gateway's own identity."""
NOT_MUTUAL: Final = Message(
    code="MESH266",
    rule="{other} is MUTUAL, and this listener leads clients without a certificate to the same service",
    fix="{set} MUTUAL, with a certificate in tls.secret; or make these hosts a service of their own",
)
"""All listeners of a service lead to the same routes and pods, by whatever host."""
PORT_UNUSED: Final = Message(
    code="MESH267",
    rule="with tls.mode MUTUAL and without a redirect nothing listens for plain HTTP",
    fix="{rm}, or {redirect}",
)
"""A port that is declared and does not answer would be missed only when somebody calls."""

INSEPARABLE: Final = Message(
    code="MESH240",
    rule="this route follows the weights, and {other} decides the version of some of its requests: {why}",
    fix="write one of the two conditions as an exact text, or give this route a version: {fix}",
)
"""Istio tries one match after the other, so what two routes ask for together has to be one match."""
DECIDES_WHAT: Final = Message(
    code="MESH241",
    rule="a route with inherit decides which version gets its requests, and this one names none",
    fix="{fix}",
)
DECIDES_ONLY: Final = Message(
    code="MESH242",
    rule="with inherit a route only decides the version; the routes below, or the service, decide the rest",
    fix="{rm}, or without inherit the route treats its requests itself",
)
"""Of two answers, this one and that of a route below, one would not hold."""
NOTHING_TO_DECIDE: Final = Message(
    code="MESH243",
    rule="no request is left to decide: routes with to or redirect, or routes above, take all of them",
    fix="take to away from those routes, so that they follow the weights, or: {rm}",
)
"""What the stack file promises to these requests would never happen."""
NAMESPACE_EXISTS: Final = Message(
    code="MESH205",
    rule="namespace {name} exists already and this stack did not create it: {owner}",
    fix="to use it as it is: pulumi config set --path '{existing}' true; to let this stack own it with all "
    "that it contains: {adopt} --namespace {name}",
)
"""What the stack owns it deletes whole: `pulumi destroy` would delete the objects of other teams."""
OBJECT_EXISTS: Final = Message(
    code="MESH206",
    rule="{object} exists already and this stack did not create it: {owner}",
    fix="to let this stack own what runs: {adopt} --namespace {namespace}; to keep both, give another name: "
    "{set} NAME; if it is not needed: {delete}",
)
"""Pulumi would apply the stack's object over it, and `pulumi destroy` would delete it."""
NAMESPACE_MISSING: Final = Message(
    code="MESH207",
    rule="the namespace is said to exist, and context {context} has none of this name",
    fix="kubectl --context {context} create namespace {name}; or let the stack create it: pulumi config rm "
    "--path '{existing}'",
)
"""A namespace that is used as it is belongs to whoever makes it."""
OBJECT_LEAVING: Final = Message(
    code="MESH208",
    rule="{object} is being deleted and still there after 60 s, held by {held}; one name has one object",
    fix="wait until it is gone, then pulumi up again; or see what holds it: kubectl get with --output yaml",
)
"""An object that is applied while it is being deleted is gone a moment later."""
EXISTENCE_UNKNOWN: Final = Message(
    code="MESH209",
    rule="kubectl could not tell whether the objects to be created exist already: {why}",
    fix="have kubectl on PATH, with the right to get the objects of the stack; then the same command again",
)
"""An object of another owner must not be taken over, and Pulumi itself does not look before it creates."""
NAMESPACE_OVERRULES: Final = Message(
    code="MESH255",
    rule="the namespace has the label {label}, which comes before the labels of pods, so injection would not "
    "be {injection}",
    fix="say the injection that the namespace has: {set} VALUE; or have its owner take the label away: "
    "kubectl --context {context} label namespace {name} {label_key}-",
)
"""Of an existing namespace the stack changes nothing, and without proxies no weight holds in the mesh."""
NAMESPACE_UNSURE: Final = Message(
    code="MESH256",
    rule="namespace {name} is labelled as an older version of this program labelled its own, and it is not "
    "in this stack's state",
    fix="if another owner created it, mark it so: kubectl --context {context} label namespace {name} "
    "{label}=none",
)
"""A stack that created its namespace must not delete it by `existing: true`."""
NAMESPACE_LEAVING: Final = Message(
    code="MESH257",
    rule="the namespace is being deleted, and takes no new object",
    fix="wait until it is gone, then kubectl --context {context} create namespace {name}; or name another: "
    "{set} NAME",
)
"""What is created there would be refused, or deleted with it."""

TABLE: Final = {m.code: m for m in list(globals().values()) if isinstance(m, Message)}
"""All messages by code."""
