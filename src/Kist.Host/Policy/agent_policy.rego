# The containers of policy_data, exactly, and nothing else. docs/agent-policy.md describes the requests.
package agent_policy

import rego.v1

default CreateContainerRequest := false

default StartContainerRequest := false

default WaitProcessRequest := false

default StatsContainerRequest := false

default RemoveContainerRequest := false

default SignalProcessRequest := false

default ReadStreamRequest := false

default WriteStreamRequest := false

default TtyWinResizeRequest := false

default ExecProcessRequest := false

default GuestServiceRequest := false

default PortForwardRequest := false

default CreateSandboxRequest := false

default UpdateInterfaceRequest := false

default UpdateRoutesRequest := false

default UpdateContainerRequest := false

default PauseContainerRequest := false

default ResumeContainerRequest := false

# The container that a request is about. Names are unique in policy_data.
pinned := container if {
	some container in policy_data.containers
	container.name == input.container_name
}

CreateContainerRequest if {
	image_allowed
	args_allowed
	env_allowed
	process_allowed
	hostname_allowed
	volumes_allowed
	writable_layer_allowed
}

# A disk of the host's is encrypted and authenticated, but the host can put a block back to what it was earlier.
writable_layer_allowed if input.writable_layer == "memory"

writable_layer_allowed if pinned.writable_disk

image_allowed if {
	input.image.manifest_digest == pinned.image.manifest_digest
	input.image.encrypted == pinned.image.encrypted
	seal_matches
}

seal_matches if not pinned.image.sealed

seal_matches if {
	input.image.sealed.revision >= pinned.image.sealed.minimum_revision
	author_matches
}

author_matches if pinned.image.sealed.author == ""

author_matches if input.image.sealed.author == pinned.image.sealed.author

# The digest pins the configuration of a sealed image, which the policy does not tell. What it pins is what the host adds.
overrides_match if input.overrides == pinned.overrides

args_allowed if overrides_match

env_allowed if overrides_match

identity_matches if overrides_match

identity_matches if {
	input.OCI.Process.Cwd == pinned.OCI.Process.Cwd
	input.OCI.Process.User.Username in pinned.OCI.Process.User.Usernames
}

args_allowed if {
	count(input.OCI.Process.Args) == count(pinned.OCI.Process.Args)
	every i, wanted in pinned.OCI.Process.Args {
		matches(input.OCI.Process.Args[i], wanted)
	}
}

# Nothing may be added, and nothing that the owner wrote may be left out.
env_allowed if {
	every entry in input.OCI.Process.Env {
		some wanted in pinned.OCI.Process.Env
		matches(entry, wanted)
	}
	every wanted in pinned.OCI.Process.Env {
		env_present(wanted)
	}
}

env_present(wanted) if wanted.required == false

env_present(wanted) if {
	some entry in input.OCI.Process.Env
	matches(entry, wanted)
}

process_allowed if {
	identity_matches
	input.OCI.Process.Terminal == pinned.OCI.Process.Terminal
	input.OCI.Process.NoNewPrivileges == true
	input.OCI.Root.Readonly == pinned.OCI.Root.Readonly
	every capability in input.OCI.Process.Capabilities {
		capability in pinned.OCI.Process.Capabilities
	}
}

# A container whose pod has no name of its own is called by its identifier.
hostname_allowed if input.OCI.Hostname == input.container_id

hostname_allowed if matches(input.OCI.Hostname, pinned.OCI.Hostname)

volumes_allowed if {
	count(input.volumes) == count(pinned.volumes)
	every volume in input.volumes {
		some wanted in pinned.volumes
		volume_matches(volume, wanted)
	}
	every wanted in pinned.volumes {
		some volume in input.volumes
		volume_matches(volume, wanted)
	}
}

volume_matches(volume, wanted) if {
	name_matches(volume.name, wanted)
	volume.mount_path == wanted.mount_path
	volume.read_only == wanted.read_only
	kind_matches(volume.kind, wanted.kind)
	size_fits(volume.size_bytes, wanted.size_bytes)
	volume.key == wanted.key
	may_format(volume, wanted)
	files_match(volume, wanted)
}

name_matches(name, wanted) if name == wanted.name

# Kubernetes gives the volumes that it adds itself a suffix. Nothing in them is trusted.
name_matches(name, wanted) if {
	wanted.content == "host"
	startswith(name, concat("", [wanted.name, "-"]))
}

kind_matches(kind, wanted) if kind == wanted

# Memory is encrypted, too: a guest without a disk of its own keeps scratch there.
kind_matches("memory", "scratch") := true

# The size protects the rest of the guest from the container; 0 is the agent's default.
size_fits(_, 0) := true

size_fits(size, wanted) if size <= wanted

# An empty disk in a volume's place is accepted only where the owner said that the volume is new.
may_format(volume, _) if volume.format == false

may_format(_, wanted) if wanted.format == true

files_match(_, wanted) if wanted.content == "host"

files_match(volume, wanted) if {
	wanted.content == "pinned"
	count(volume.files) == count(wanted.files)
	every file in wanted.files {
		file in volume.files
	}
}

matches(text, wanted) if text == wanted

matches(text, wanted) if regex.match(wanted.pattern, text)

matches(text, wanted) if crypto.sha256(text) == wanted.sha256

# Init containers have done their work before those behind them start: the agent says so, not the host.
StartContainerRequest if {
	every name in pinned.after_completion {
		name in input.pod.completed
	}
	every name in pinned.after_start {
		name in input.pod.started
	}
}

WaitProcessRequest if pinned

StatsContainerRequest if pinned

RemoveContainerRequest if pinned

SignalProcessRequest if pinned

UpdateContainerRequest if pinned

PauseContainerRequest if pinned

ResumeContainerRequest if pinned

# A process that was executed in a container, rather than its first.
executed if input.exec_id != ""

ReadStreamRequest if pinned.output

ReadStreamRequest if {
	pinned
	executed
}

WriteStreamRequest if pinned.input

WriteStreamRequest if {
	pinned.exec_any
	executed
}

TtyWinResizeRequest if pinned.OCI.Process.Terminal

TtyWinResizeRequest if {
	pinned
	executed
}

# Of a process that the owner allows, the host chooses nothing: neither environment (LD_PRELOAD is as good as a program) nor
# directory, user or capabilities.
ExecProcessRequest if {
	some command in pinned.exec
	input.process.Args == command
	input.process.Cwd == pinned.OCI.Process.Cwd
	exec_terminal_allowed
	exec_env_allowed
	exec_rights_allowed
}

# The environment of a sealed image is secret: there the agent says that nothing but the program differs.
ExecProcessRequest if {
	some command in pinned.exec
	input.process.Args == command
	input.inherits == true
	exec_terminal_allowed
	exec_bounds_allowed
}

ExecProcessRequest if {
	pinned.exec_any
	input.inherits == true
	exec_bounds_allowed
}

# Where it may run anything at all, it could set all of that itself, but for the rights.
ExecProcessRequest if {
	pinned.exec_any
	exec_rights_allowed
}

exec_rights_allowed if {
	input.process.User.Username in pinned.OCI.Process.User.Usernames
	exec_bounds_allowed
}

exec_bounds_allowed if {
	input.process.NoNewPrivileges == true
	every capability in input.process.Capabilities {
		capability in pinned.OCI.Process.Capabilities
	}
}

exec_terminal_allowed if input.process.Terminal == false

exec_terminal_allowed if pinned.OCI.Process.Terminal

exec_env_allowed if {
	every entry in input.process.Env {
		exec_entry_allowed(entry)
	}
}

exec_entry_allowed(entry) if {
	some wanted in pinned.OCI.Process.Env
	matches(entry, wanted)
}

exec_entry_allowed("TERM=xterm") if input.process.Terminal

# What the containers share. Names and addresses are the host's to give where there is a network at all: nothing that comes
# by it may be trusted without TLS.
CreateSandboxRequest if {
	sandbox_hostname_fits
	sandbox_dns_fits
}

# Containers without a name of their own in the policy are called by the pod's.
sandbox_hostname_fits if input.hostname == ""

sandbox_hostname_fits if {
	every container in policy_data.containers {
		matches(input.hostname, container.OCI.Hostname)
	}
}

sandbox_dns_fits if count(input.dns) == 0

sandbox_dns_fits if policy_data.network

# The loopback interface is the guest's own: its services are there, and nothing of the host's may look like them.
UpdateInterfaceRequest if {
	policy_data.network
	input.interface.name != "lo"
	every address in input.interface.IPAddresses {
		not loopback(address.address)
	}
}

UpdateRoutesRequest if {
	policy_data.network
	every route in input.routes.Routes {
		route.device != "lo"
		not loopback_network(route.dest)
	}
}

loopback(address) if startswith(address, "127.")

loopback(address) if address == "::1"

loopback_network(dest) if startswith(dest, "127.")

loopback_network(dest) if startswith(dest, "::1/")

# What the host may connect to: programs of the pod that listen on these ports.
PortForwardRequest if input.port in policy_data.ports

GuestServiceRequest if {
	some service in pinned.services
	service.name == input.service
	service.resource == input.resource
}
