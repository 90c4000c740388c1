# Judges one processor's TEE whose evidence was verified: signature, chain, state of firmware, freshness, and neither
# debuggable nor simulated unless the broker was started to allow that. What is left to judge is whether it runs what it
# should: all measurements of at least one registered set must be met together.
#
# Values are those of the AR4SI trustworthiness vector: 2 affirming, 3 affirming, 33 warning or unknown executables,
# 97 contraindicated hardware.
package policy

import rego.v1

tees := {
	"sample", "sgx", "tdx", "snp", "cca", "csv", "se", "tpm", "az-snp-vtpm", "az-tdx-vtpm", "nitro",
}

matching contains name if {
	some tee in tees
	claims := input[tee]
	some name in query_reference_sets(tee, claims)
}

default executables := 33

executables := 3 if count(matching) > 0

default configuration := 36

configuration := 2 if count(matching) > 0

default hardware := 97

hardware := 2 if {
	some tee in tees
	input[tee]
}

trust_claims := {
	"executables": executables,
	"hardware": hardware,
	"configuration": configuration,
}
