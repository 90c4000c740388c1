namespace Kist.Pods.Protocol;

/// <summary>The stable codes of <see cref="Agent.Failure"/>: programs may act on them, people read the reason.</summary>
public static class FailureCode
{
    /// <summary>The agent policy denies the request.</summary>
    public const string PolicyDenied = "policy.denied";

    /// <summary>The request contradicts itself or the container's state.</summary>
    public const string InvalidRequest = "request.invalid";

    /// <summary>No such container.</summary>
    public const string ContainerNotFound = "container.not-found";

    /// <summary>The image could not be fetched: the registry is down, slow, or answered wrongly.</summary>
    public const string ImagePull = "image.pull";

    /// <summary>The image is not what its digests, signatures or HMACs say.</summary>
    public const string ImageRefused = "image.refused";

    /// <summary>The image is encrypted and its key could not be had because the broker did not answer.</summary>
    public const string KeyUnavailable = "key.unavailable";

    /// <summary>The broker refuses the key to this guest.</summary>
    public const string KeyRefused = "key.refused";

    /// <summary>The TEE gave no evidence, or its registers could not be extended.</summary>
    public const string TeeFailed = "tee.failed";

    /// <summary>Init-data is malformed or is not what the TEE reports.</summary>
    public const string InitDataRefused = "init-data.refused";

    /// <summary>The guest has no room left for the image or its writable layer.</summary>
    public const string NoSpace = "disk.full";

    /// <summary>The runtime could not start the container; the program may not exist in the image.</summary>
    public const string ContainerStart = "container.start";

    /// <summary>The container's program is not in the image.</summary>
    public const string ProgramNotFound = "container.program-not-found";

    /// <summary>The container's program is in the image but cannot be executed.</summary>
    public const string ProgramNotExecutable = "container.program-not-executable";

    /// <summary>No program of the pod listens on a port, or it has closed the connection.</summary>
    public const string ConnectionRefused = "connection.refused";

    /// <summary>A disk does not hold the volume that it should.</summary>
    public const string VolumeRefused = "volume.refused";

    /// <summary>A failure of the guest that fits no other code.</summary>
    public const string Internal = "internal";
}
