"""All messages about a stack file, in the order of their codes; tests/unit/test_messages.py provokes each."""

from typing import Final

from components.schema.issues import Message

# 0xx: one value.

UNKNOWN_KEY: Final = Message(
    code="MESH001",
    rule="unknown key; the keys are: {known}",
    fix="{fix}",
)
"""Unknown keys are refused, so that a misspelt key is not ignored."""
MISSING: Final = Message(
    code="MESH002",
    rule="this key is required",
    fix="{example}",
)
"""No default would suit every stack."""
WRONG_TYPE: Final = Message(
    code="MESH003",
    rule="this must be {expected}",
    fix="{example}",
)
"""YAML decides the type by the notation: `"100"` is text, `100` is a number."""
OUT_OF_RANGE: Final = Message(
    code="MESH004",
    rule="this must be from {minimum} to {maximum}",
    fix="{set} {nearest}",
)
"""Kubernetes, Istio or Envoy would refuse the value or misread it."""
INVALID_CHOICE: Final = Message(
    code="MESH005",
    rule="this must be one of: {choices}",
    fix="{set} {nearest}",
)
"""The key accepts a fixed set of values."""
INVALID_FORMAT: Final = Message(
    code="MESH006",
    rule="this must be {description}",
    fix="{set} {example}",
)
"""Kubernetes, Istio or the registry would refuse the text in the middle of an update."""
INVALID_KEY: Final = Message(
    code="MESH007",
    rule="the name of this key must be {description}",
    fix="rename the key in the stack file, for example to {example}",
)
"""The key becomes the name of an object, which the cluster would refuse in the middle of an update."""
UNQUOTED: Final = Message(
    code="MESH008",
    rule="this must be text; without quotes YAML reads it as {read_as}",
    fix='write the intended text in quotes in the stack file: {key}: "{text}"',
)
"""YAML reads `4.10` as the number 4.1, and the original text cannot be recovered."""
NOT_RE2: Final = Message(
    code="MESH009",
    rule="this must be an RE2 regular expression of at most {longest} characters: {why}",
    fix="{set} {example}",
)
"""Envoy compiles expressions with RE2, which has neither lookaround nor backreferences."""
EXACTLY_ONE: Final = Message(
    code="MESH010",
    rule="exactly one of {choices} is required; given: {found}",
    fix="{fix}",
)
"""The keys are alternatives, and one is needed."""
AT_MOST_ONE: Final = Message(
    code="MESH011",
    rule="at most one of {choices} is allowed; given: {found}",
    fix="{fix}",
)
"""The keys exclude each other."""
EMPTY: Final = Message(
    code="MESH012",
    rule="at least one entry is required",
    fix="{example}",
)
"""The key has no effect without an entry."""
DUPLICATE: Final = Message(
    code="MESH013",
    rule="each entry may be listed only once",
    fix="{rm}",
)
"""A duplicate has no effect, and Istio refuses some."""
AT_LEAST_ONE: Final = Message(
    code="MESH014",
    rule="at least one of {choices} is required",
    fix="{fix}",
)
"""The mapping has no effect without any of these keys."""

# 1xx: values that do not fit together.

WEIGHT_SUM: Final = Message(
    code="MESH101",
    rule="the weights of all versions must sum to 100; these sum to {total}",
    fix="{fix}",
)
WEIGHT_WITHOUT_VERSION: Final = Message(
    code="MESH102",
    rule="each weight must name one of the versions: {known}",
    fix="{rm}",
)
NAME_TOO_LONG: Final = Message(
    code="MESH103",
    rule="the Deployment would be named {derived}, which has {length} characters; Kubernetes allows 63",
    fix="shorten the name of the app or of the version by {excess} characters",
)
HOSTS_OVERLAP: Final = Message(
    code="MESH104",
    rule="another host of the list already covers this one: {other}; Istio refuses both together",
    fix="{rm}",
)
DUPLICATE_PORT: Final = Message(
    code="MESH105",
    rule="port {port} is already used by {other}",
    fix="{set} {free}",
)
DUPLICATE_NODE_PORT: Final = Message(
    code="MESH106",
    rule="nodePort {port} is already used by {other}",
    fix="{set} {free}",
)
SIDECAR_IGNORED: Final = Message(
    code="MESH107",
    rule="this has no effect: the namespace's injection is {injection}, so no pod gets a sidecar",
    fix="{fix}",
)
PROXY_PORT: Final = Message(
    code="MESH108",
    rule="the pod's proxy listens on this port itself: 15000 to 15009, 15020, 15021, 15053 and 15090",
    fix="{set} 8080",
)
NAMESPACE_TAKEN: Final = Message(
    code="MESH109",
    rule="the stack owns its namespace and deletes it on destroy; {name} belongs to {owner}",
    fix="{set} {suggestion}",
)
SECRET_VALUE: Final = Message(
    code="MESH110",
    rule="a secret is not allowed here: the value would be readable in plain Kubernetes objects",
    fix="store the value in a Kubernetes Secret, and set the key again with --plaintext",
)
"""Anyone with read access to the namespace could read what is encrypted in the stack file."""
NO_ROOM_TO_SCALE: Final = Message(
    code="MESH111",
    rule="max must be at least min, which is {least}",
    fix="{set} {least}",
)
REQUEST_OVER_LIMIT: Final = Message(
    code="MESH112",
    rule="the limit must be at least the request: {request}",
    fix="{fix}",
)
BUDGET_BLOCKS: Final = Message(
    code="MESH113",
    rule="with {fewest} pods this budget never allows an eviction, so no node that runs them can be drained",
    fix="{fix}",
)
ROUTE_NAME_TAKEN: Final = Message(
    code="MESH120",
    rule="each route must have a name of its own; this one is used by {other}",
    fix="{set} {free}",
)
NO_SUCH_VERSION: Final = Message(
    code="MESH121",
    rule="traffic can go only to one of the versions: {known}",
    fix="{set} {nearest}",
)
REDIRECT_WITH_OPTIONS: Final = Message(
    code="MESH122",
    rule="the gateway answers a redirect itself, and this applies only to requests that reach a version",
    fix="{rm}",
)
DUPLICATE_CONDITION: Final = Message(
    code="MESH123",
    rule="the route already has this condition for all its alternatives",
    fix="{rm}",
)
COOKIES_AND_COOKIE_HEADER: Final = Message(
    code="MESH124",
    rule="cookies become a condition on the header cookie, and a header can have only one condition",
    fix="{rm}",
)
COOKIES_TOO_LONG: Final = Message(
    code="MESH125",
    rule="Istio allows {longest} characters for an expression; these cookies, in every order, need {length}",
    fix="shorten the conditions on cookies, or remove some: {rm}",
)
SOURCE_WITHOUT_MESH: Final = Message(
    code="MESH126",
    rule="only callers in the mesh have a source, and with mesh: false they do not follow these routes",
    fix="{fix}",
)
DUPLICATE_HEADER: Final = Message(
    code="MESH128",
    rule="a header can be in only one of set, add and remove; {other} names it too",
    fix="{rm}",
)
NO_SUCH_GROUP: Final = Message(
    code="MESH129",
    rule="the expression in match has {groups} groups, and this refers to group {group}",
    fix="put the parts to reuse into parentheses in match, or remove the reference",
)
UNKNOWN_CONTEXT: Final = Message(
    code="MESH130",
    rule="the kubeconfig has no such context; it has: {known}",
    fix="kubectl config get-contexts, then: {set} NAME (or point KUBECONFIG at the file that has it)",
)
"""Without the context no cluster can be reached, and every resource would fail separately."""
UNREACHABLE_ROUTE: Final = Message(
    code="MESH131",
    rule="{other}, above this route, already takes these requests",
    fix="move the narrower route up, or remove this one: {rm}",
)
CATCH_ALL: Final = Message(
    code="MESH132",
    rule="this takes every request, so neither the routes below nor the weights would get one",
    fix="{rm}; to divide all traffic, use weights",
)
RETRIES_OFF: Final = Message(
    code="MESH140",
    rule="with 0 attempts no request is retried, and Istio refuses other retry settings",
    fix="{rm}",
)
TRY_EXCEEDS_TIMEOUT: Final = Message(
    code="MESH141",
    rule="a single try must not last longer than the timeout of the whole request, {timeout}",
    fix="{set} {timeout}",
)
FAILOVER_WITHOUT_OUTLIERS: Final = Message(
    code="MESH142",
    rule="failover needs outliers, which detect the failing pods of {version}",
    fix="{fix}",
)
FAILOVER_TO_SAME_REGION: Final = Message(
    code="MESH143",
    rule="traffic must fail over to another region than its own",
    fix="{set} REGION",
)
LOCALITY_SUM: Final = Message(
    code="MESH144",
    rule="the shares of all localities must sum to 100; these sum to {total}",
    fix="{fix}",
)
LOCALITIES_OVERLAP: Final = Message(
    code="MESH145",
    rule="a locality can be listed only once; {other} already covers this one",
    fix="{rm}",
)
MIXED_LAYOUTS: Final = Message(
    code="MESH150",
    rule="a stack file has either one service at its top level or several under services; found here: {keys}",
    fix="in the stack file, move {keys} under mesh-app:services, below the service's name; or {rm}",
)
"""With both forms, the service of the keys at the top level would be ambiguous."""
DUPLICATE_WORKLOAD: Final = Message(
    code="MESH151",
    rule="the Deployment would be named {derived}, like that of {other}",
    fix="give the service or the version another name in the stack file",
)
"""Service `a` with version `b-v1` and service `a-b` with version `v1` would share one Deployment."""
DUPLICATE_HOST: Final = Message(
    code="MESH152",
    rule="requests for this host on {where} already go to {other}",
    fix="{set} {example}",
)
"""Istio serves the older of the two Gateways and ignores the other (IST0145)."""
TWO_PROTOCOLS: Final = Message(
    code="MESH153",
    rule="port {port} cannot serve {scheme}: {other} serves {taken} on it",
    fix="{set} {free}",
)
"""Istio uses the server that was created first and ignores the other."""
REDIRECT_PORT: Final = Message(
    code="MESH154",
    rule="the redirect sends clients to port 443, the port of an https URL without one",
    fix="{set} 443, or {off}",
)
"""Clients would be redirected to a port on which no server listens."""
DUPLICATE_CERTIFICATE: Final = Message(
    code="MESH155",
    rule="this certificate already serves the hosts of {other}",
    fix="{set} NAME, another Secret; or put all hosts into that listener; or share it by gateway.existing",
)
"""Browsers reuse one connection for all hosts of a certificate; a listener knows only its own (IST0138)."""
NO_OWN_GATEWAY: Final = Message(
    code="MESH156",
    rule="no service of the stack has a Gateway of its own to serve these ports",
    fix="{rm}",
)
"""The stack adds no server to a Gateway that it does not own."""
GATEWAY_UNUSED: Final = Message(
    code="MESH157",
    rule="with mesh: only the service cannot be reached from outside",
    fix="{rm}, or {fix}",
)
"""The Gateway's hosts would lead to no service."""
NO_SUCH_GATEWAY: Final = Message(
    code="MESH158",
    rule="the stack's own namespace has only the Gateways of its services: {known}",
    fix="{set} NAMESPACE/NAME of an existing Gateway; or {rm}",
)
"""Routes that are attached to a missing Gateway get no requests (IST0101)."""
HOST_NOT_SERVED: Final = Message(
    code="MESH159",
    rule="the Gateway {gateway} serves other hosts: {hosts}",
    fix="use one of its hosts, or add this one to it with '*.' in front of its domain",
)
"""Requests for this host do not arrive through that Gateway (IST0132)."""
NO_PROXY: Final = Message(
    code="MESH160",
    rule="security is enforced by the proxy of each pod, and {which} no proxy: {why}",
    fix="{fix}",
)
"""Without a proxy, certificates, callers and tokens are not checked: the policies would have no effect."""
INGRESS_NOT_ALLOWED: Final = Message(
    code="MESH161",
    rule="the ingress gateway must be an allowed caller, or every request from outside gets 403",
    fix="{fix}",
)
"""A list of allowed callers refuses all others, and this service is also reached from outside."""
NEEDS_WAYPOINT: Final = Message(
    code="MESH162",
    rule="in an ambient mesh only a waypoint can inspect requests, and this stack does not create one",
    fix="{fix}",
)
"""In an ambient mesh the node's proxy handles connections and refuses policies about requests."""
INVALID_JWKS: Final = Message(
    code="MESH163",
    rule="this must be a JSON Web Key Set of public keys that the proxies accept: {why}",
    fix='{set} "$(cat FILE)", with the issuer\'s key set in FILE',
)
"""Istio's webhook refuses only some invalid keys. With the others, every token gets 401."""
PRIVATE_KEY: Final = Message(
    code="MESH164",
    rule="only public keys are allowed; with a private key, any reader of this file could sign tokens",
    fix='create a new key, since this one is exposed; then {set} "$(cat FILE)", with its public part in FILE',
)
"""The keys are readable in the stack file and in the cluster."""
STEP_DECREASES: Final = Message(
    code="MESH170",
    rule="the weight of a step must be at least that of the step before: {before}",
    fix="{fix}",
)
"""A canary only increases the weight of the new version; lowering it is a rollback."""
INTERVAL_EXCEEDS_HOLD: Final = Message(
    code="MESH171",
    rule="the interval must not be longer than the step that it judges: {hold}",
    fix="{set} TIME, shorter than that; or make the step longer",
)
"""The step would end before its first sample, without a verdict."""
QUERY_WITHOUT_VERSION: Final = Message(
    code="MESH172",
    rule="to compare versions, the expression must contain {version}",
    fix="write {version} where the expression selects by version, or remove timesOld",
)
"""Without it the expression has the same value for both versions, and the comparison always passes."""
NO_EQUIVALENT: Final = Message(
    code="MESH190",
    rule="the Gateway API has no equivalent: {why}",
    fix="{rm}, or {switch}",
)
"""Keys that `api: gateway-api` cannot express are refused rather than ignored."""
TOO_MANY: Final = Message(
    code="MESH191",
    rule="one HTTPRoute or Gateway holds at most {most} {what}; there are {count}",
    fix="remove some, or {switch}",
)
"""The API server would refuse the object in the middle of an update."""
ROUTE_ORDER: Final = Message(
    code="MESH192",
    rule="the Gateway API tries more specific rules first, in whatever order they are listed: {other} would "
    "take requests before {name}",
    fix="give {name} narrower conditions or move it below {other}, or {switch}",
)
"""Routes must be tried in the order of the stack file."""
DUPLICATE_SERVICE: Final = Message(
    code="MESH193",
    rule="with the Gateway API each version has a Service, and {name} is another service of the stack",
    fix="give the version or that service another name, or {switch}",
)
"""Both would be the same object, and each update would overwrite it."""

# 2xx: the cluster; from 205 on, also more of the stack file.

NO_INGRESS_PORT: Final = Message(
    code="MESH201",
    rule="the ingress Service {service} has no port {port}, by number or usual name; its ports: {ports}",
    fix="{set} PORT, with one of its ports",
)
"""The output `url` would show a port on which the ingress does not answer."""
NO_ADDRESS: Final = Message(
    code="MESH202",
    rule="{service} has no load balancer address to build the URL from",
    fix="pulumi config set --path 'mesh-app:ingress.address' ADDRESS (or ingress.node NODE, a node's name)",
)
"""Without load balancers, the cluster does not report an address of the ingress."""
NO_NODE_ADDRESS: Final = Message(
    code="MESH203",
    rule="the node has neither an ExternalIP nor an InternalIP",
    fix="pulumi config set --path 'mesh-app:ingress.address' ADDRESS, and {rm}",
)
"""The output `url` shows the address of the node that the stack file names."""
WRONG_CLUSTER: Final = Message(
    code="MESH204",
    rule="the stack is pinned to another cluster: in context {context}, namespace {witness} has the uid "
    "{found}",
    fix="select the context of the right cluster: pulumi config set kubernetes:context NAME; to see the uid "
    "of a context's cluster: kubectl --context {context} get namespace {witness} -o "
    "jsonpath={{.metadata.uid}}; or, if this is the right cluster: {set} {found}",
)
"""A context is only a name in a local file, and can lead to another cluster tomorrow."""
NAMESPACE_EXISTS: Final = Message(
    code="MESH205",
    rule="namespace {name} exists already and this stack did not create it: {owner}",
    fix="to use it unchanged: pulumi config set --path '{existing}' true; to make this stack the owner of it "
    "and its contents: {adopt} --namespace {name}",
)
"""The stack deletes a namespace that it owns: `pulumi destroy` would delete the objects of other teams."""
OBJECT_EXISTS: Final = Message(
    code="MESH206",
    rule="{object} exists already and this stack did not create it: {owner}",
    fix="to make this stack its owner: {adopt} --namespace {namespace}; to have both, choose another name: "
    "{set} NAME; if it is not needed: {delete}",
)
"""Pulumi would overwrite the object, and `pulumi destroy` would delete it."""
NAMESPACE_MISSING: Final = Message(
    code="MESH207",
    rule="the namespace must exist already, and context {context} has none of this name",
    fix="kubectl --context {context} create namespace {name}; or let the stack create it: pulumi config rm "
    "--path '{existing}'",
)
"""With `existing: true` the namespace belongs to another owner, who creates it."""
OBJECT_TERMINATING: Final = Message(
    code="MESH208",
    rule="{object} is being deleted and still exists after 60 s, held by {held}",
    fix="wait until it is deleted, then run pulumi up again; to see what holds it: kubectl get with --output "
    "yaml",
)
"""An object that is applied while it is being deleted disappears a moment later."""
EXISTENCE_UNKNOWN: Final = Message(
    code="MESH209",
    rule="kubectl could not check whether the objects to be created exist already: {why}",
    fix="put kubectl on PATH, with permission to get the objects of the stack; then run the command again",
)
"""Objects of another owner must not be overwritten, and Pulumi does not check before it creates."""
SERVICE_PORT_CHANGES: Final = Message(
    code="MESH210",
    rule="the Service's port {old} is removed: for some milliseconds proxies have no cluster for requests in "
    "flight (measured: 15 of 81,065 lost), and callers in the mesh that use port {old} get no answer",
    fix="to lose none from outside, use two updates: change the name of the service together with the port "
    "({name}) and run `pulumi up`; then change the name back and run `pulumi up`. Otherwise continue with "
    "this update",
)
"""During a change a Service would need both ports, and the stack file has one."""
ADDRESS_REMOVED: Final = Message(
    code="MESH211",
    rule="{closed} is removed: requests to it are no longer answered once the ingress is updated",
    fix="if clients still use it, use two updates: first add the new address beside it ({path}.listeners); "
    "remove it once no client uses it. Otherwise continue with this update",
)
"""Clients switch to a new address later than the ingress."""
INGRESS_CHANGES: Final = Message(
    code="MESH212",
    rule="the Gateway moves from the ingress {old} to another one: requests through the old one are no "
    "longer answered",
    fix="one stack cannot serve both: deploy a second stack at the new ingress (another namespace, the same "
    "hosts), move the clients, then destroy this one. Otherwise continue with this update",
)
"""A Gateway selects one ingress."""
NODE_PORT_REMOVED: Final = Message(
    code="MESH213",
    rule="node port {port} is removed: connections to it are refused",
    fix="if clients still use it, use two updates: add the new port beside it, and remove it once no client "
    "uses it. Otherwise continue with this update",
)
"""Clients switch to a new port later than the ingress."""
SCALED_DOWN_BEFORE_WEIGHT: Final = Message(
    code="MESH214",
    rule="{version} is scaled from {before} to {after} pods before its weight changes from {old} to {new}: "
    "in between, fewer pods serve {old} %",
    fix="use two updates: first the weights, then {path}. Otherwise continue with this update",
)
"""Pods are changed before routes, so that a route always leads to pods that exist."""
AMBIENT_CALLERS: Final = Message(
    code="MESH225",
    rule="in an ambient mesh only a waypoint applies routes to requests, and this stack does not create one: "
    "callers inside the mesh would follow neither weights nor routes",
    fix="{fix}",
)
"""Their requests would go to every ready pod, including those of a version with weight 0."""
REWRITE_WITHOUT_PATH: Final = Message(
    code="MESH226",
    rule="the new path replaces the part that the route's uri matched, and this route matches any path: it "
    "would be put in front of each, so that /beta and /hello become /betahello",
    fix="to put it in front of every path, {fix}",
)
"""A rewrite of the path needs a condition on the path, in every alternative of anyOf."""
REWRITE_TOO_LONG: Final = Message(
    code="MESH227",
    rule="if only one of the prefix and the new path ends with /, the rewrite becomes an expression; Istio "
    "allows {longest} characters, and this one has {length}",
    fix="end both with /, or neither; or shorten the prefixes of the route",
)
"""Istio's webhook would refuse the route in the middle of an update."""
DUPLICATE_KEY: Final = Message(
    code="MESH228",
    rule="names are compared without case, and {other} is the same name",
    fix="{rm}",
)
"""A header can have only one value."""
TOKEN_WITHOUT_JWT: Final = Message(
    code="MESH229",
    rule="without security.jwt no proxy validates tokens",
    fix="{rm}",
)
"""Whether a token is needed has no effect if tokens are not validated."""
TOKEN_UNSPECIFIED: Final = Message(
    code="MESH230",
    rule="jwt.required has no effect: every entry of allow names paths and no callers, and such entries need "
    "no token",
    fix="{fix}",
)
"""The program cannot know whether such paths are meant to be public, and a wrong guess would expose them."""
WILDCARD_WITH_CREDENTIALS: Final = Message(
    code="MESH231",
    rule="with allowCredentials a browser reads * as a name and not as a wildcard",
    fix="list the names instead, or {off}",
)
"""Envoy sends the * to the browser, which then refuses the call."""
REDIRECT_LOOP: Final = Message(
    code="MESH232",
    rule="this route matches the redirect's target again, so clients would be redirected until they give up",
    fix="use another uri or another host: {fix}",
)
"""The gateway answers each of these requests with the same redirect."""
INSEPARABLE: Final = Message(
    code="MESH240",
    rule="this route follows the weights, and {other} decides the version of some of its requests; their "
    "conditions cannot be combined: {why}",
    fix="write one of the two conditions as an exact text, or give this route a version: {fix}",
)
"""Istio uses the first match, so the conditions of both routes must be combined into one."""
INHERIT_WITHOUT_VERSION: Final = Message(
    code="MESH241",
    rule="a route with inherit must name the version that gets its requests",
    fix="{fix}",
)
INHERIT_WITH_OPTIONS: Final = Message(
    code="MESH242",
    rule="a route with inherit only decides the version; all other options come from the routes below or the "
    "service",
    fix="{rm}, or remove inherit to set the options of these requests here",
)
"""If both this route and one below set the option, only one would apply."""
INHERIT_UNREACHED: Final = Message(
    code="MESH243",
    rule="no request reaches this route: routes with to or redirect, or routes above, take all of them",
    fix="remove to from those routes, so that they follow the weights, or: {rm}",
)
"""The route would have no effect."""
NAMESPACE_LABEL_CONFLICT: Final = Message(
    code="MESH255",
    rule="the namespace has the label {label}, which takes precedence over the labels of pods, so injection "
    "would not be {injection}",
    fix="set the injection that the namespace has: {set} VALUE; or ask its owner to remove the label: "
    "kubectl --context {context} label namespace {name} {label_key}-",
)
"""The stack does not change an existing namespace, and without proxies weights do not apply in the mesh."""
NAMESPACE_OWNER_UNKNOWN: Final = Message(
    code="MESH256",
    rule="namespace {name} has the label that an older version of this program gave to its own namespaces, "
    "and it is not in this stack's state",
    fix="if another owner created it, mark it so: kubectl --context {context} label namespace {name} "
    "{label}=none",
)
"""With `existing: true` a stack must not delete the namespace that it created."""
NAMESPACE_TERMINATING: Final = Message(
    code="MESH257",
    rule="the namespace is being deleted and accepts no new objects",
    fix="wait until it is deleted, then kubectl --context {context} create namespace {name}; or use another "
    "one: {set} NAME",
)
"""New objects would be refused, or deleted with the namespace."""
MUTUAL_WITH_EXTRA_PORTS: Final = Message(
    code="MESH265",
    rule="MUTUAL admits only clients with a certificate, and the extra ports of the ingress ({ports}) serve "
    "the same hosts over plain HTTP",
    fix="{away}, or move this service into a stack without extra ports",
)
"""A client without a certificate would be admitted through the extra port, with the gateway's identity."""
NOT_MUTUAL: Final = Message(
    code="MESH266",
    rule="{other} is MUTUAL, and this listener admits clients without a certificate to the same service",
    fix="{set} MUTUAL, with a certificate in tls.secret; or make these hosts a service of their own",
)
"""All listeners of a service lead to the same routes and pods, for every host."""
PORT_UNUSED: Final = Message(
    code="MESH267",
    rule="with tls.mode MUTUAL and without redirect, plain HTTP is not served",
    fix="{rm}, or {redirect}",
)
"""The port would be declared and never answer."""

TABLE: Final = {m.code: m for m in list(globals().values()) if isinstance(m, Message)}
"""All messages by code."""
