# Judges a device attached to a TEE (a GPU, a switch, a DPU): genuine, and all measurements of at least one registered
# set met together.
package policy

import rego.v1

tees := {"nvidia", "sampledevice", "hygondcu", "nvidia-dpu"}

matching contains name if {
	some tee in tees
	claims := input[tee]
	some name in query_reference_sets(tee, claims)
}

default executables := 33

executables := 3 if count(matching) > 0

default hardware := 97

hardware := 2 if {
	some tee in tees
	input[tee]
}

trust_claims := {
	"executables": executables,
	"hardware": hardware,
}
