// The Kubernetes provider of Pulumi, as its own command builds it, less the
// embedded schema: only code generators ask for that.
package main

import "github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"

// The version that goes with PyPI's pulumi-kubernetes; requirements.txt pins the same.
const version = "4.25.0"

func main() {
	provider.Serve("kubernetes", version, []byte(`{"name":"kubernetes"}`), []byte(`{}`))
}
