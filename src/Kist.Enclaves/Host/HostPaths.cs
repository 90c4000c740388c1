namespace Kist.Enclaves.Host;

/// <summary>Where things lie in an enclave container before the enclave's own root replaces the container's.</summary>
public static class HostPaths
{
    /// <summary>The directory that the runtime mounts into the container.</summary>
    public const string Directory = "/.kist";

    /// <summary>The enclave host's program.</summary>
    public const string Program = Directory + "/kist-rune";

    /// <summary>The manifest's canonical bytes.</summary>
    public const string Manifest = Directory + "/" + ManifestName;

    /// <summary>The SIGSTRUCT.</summary>
    public const string Sigstruct = Directory + "/" + SigstructName;

    /// <summary>The directory with the platform's sockets.</summary>
    public const string Platform = Directory + "/platform";

    /// <summary>An empty directory on which the enclave's root is mounted.</summary>
    public const string Root = Directory + "/root";

    /// <summary>Where the WebAssembly runtime lies, in the container and in the enclave.</summary>
    public const string Wasm = Manifests.WasmFiles.Directory;

    /// <summary>The directory that the enclaves of a pod share: the image agent's socket, and the images at rest.</summary>
    public const string Pod = Directory + "/pod";

    /// <summary>Name of the image agent's socket.</summary>
    public const string ImageAgentName = "images.sock";

    /// <summary>Name of the directory of images at rest.</summary>
    public const string ImagesName = "images";

    /// <summary>The socket on which the enclave host answers the runtime.</summary>
    public const string Agent = Directory + "/" + AgentName;

    /// <summary>The socket on which the enclave host answers challenges over RA-TLS.</summary>
    public const string Attestation = Directory + "/" + AttestationName;

    /// <summary>Name of the challenges' socket.</summary>
    public const string AttestationName = "attest.sock";

    /// <summary>Name of the manifest.</summary>
    public const string ManifestName = "manifest.json";

    /// <summary>Name of the SIGSTRUCT.</summary>
    public const string SigstructName = "enclave.sigstruct";

    /// <summary>Name of the agent's socket.</summary>
    public const string AgentName = "agent.sock";

    /// <summary>Name of the simulated platform's socket.</summary>
    public const string PlatformSocketName = "platform.sock";

    /// <summary>Name of the quoting service's socket.</summary>
    public const string AesmSocketName = "aesm.socket";
}
