using Google.Protobuf.WellKnownTypes;
using Kist.Formats;
using Kist.KeyBroker.Protocol;
using Kist.Linux;
using Kist.Linux.Files;
using Kist.Oci;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;
using Kist.Ttrpc;

namespace Kist.Agent.Service;

/// <summary>Turns failures into what the host is told: a stable code, step, subject, reason and hint.</summary>
static class FailureMapping
{
    public static TtrpcException ToStatus(Exception e)
    {
        var failure = ToFailure(e);
        return new TtrpcException(StatusOf(failure.Code), $"{failure.Step}: {failure.Subject}: {failure.Reason}", Any.Pack(failure));
    }

    /// <summary>True for what is expected to go wrong; anything else is a defect.</summary>
    public static bool IsExpected(Exception e) =>
        e is OperationFailedException or MalformedDataException or IOException or UnauthorizedAccessException or ArgumentException;

    private static Failure ToFailure(Exception e)
    {
        var cause = Chain(e).FirstOrDefault(c => c is AgentException or KeyBrokerException) ?? e;
        var code = CodeOf(e, cause);
        return cause switch
        {
            OperationFailedException o => new Failure { Code = code, Step = o.Step, Subject = o.Subject, Reason = o.Reason, Hint = HintOf(code, o.Hint) },
            MalformedDataException m => new Failure { Code = code, Step = "read", Subject = m.Structure, Reason = m.Reason, Hint = HintOf(code, null) },
            _ => new Failure { Code = code, Step = "handle request", Subject = "guest", Reason = cause.Message, Hint = HintOf(code, null) },
        };
    }

    private static string CodeOf(Exception e, Exception cause) => Chain(e).Any(IsNoSpace) ? FailureCode.NoSpace : cause switch
    {
        AgentException a => a.Code,
        KeyBrokerException { FailedStep: KeyBrokerStep.CollectEvidence } => FailureCode.TeeFailed,
        KeyBrokerException { Status: >= 400 and < 500 and not 408 and not 429 } => FailureCode.KeyRefused,
        KeyBrokerException => FailureCode.KeyUnavailable,
        RegistryException => FailureCode.ImagePull,
        ContentMismatchException or MalformedDataException => FailureCode.ImageRefused,
        ArgumentException => FailureCode.InvalidRequest,
        // The disks of a guest hold images, whose blocks are verified: one that cannot be read is not the image's.
        IOException io when (io.HResult & 0xffff) == Errno.EIO => FailureCode.ImageRefused,
        OperationFailedException { IsTransient: true } => FailureCode.ImagePull,
        OperationFailedException { Step: "decrypt layer" or "unwrap layer key" or "apply layer" or "pull image" or "open sealed image" or "mount sealed image" or "verify signatures" } => FailureCode.ImageRefused,
        OperationFailedException { Step: "attach sealed image" } => FailureCode.ImagePull,
        _ => FailureCode.Internal,
    };

    private static string HintOf(string code, string? hint) =>
        code == FailureCode.NoSpace ? "the guest keeps the image in its memory: give it more (-m)" : hint ?? "";

    private static TtrpcStatusCode StatusOf(string code) => code switch
    {
        FailureCode.PolicyDenied or FailureCode.KeyRefused or FailureCode.InitDataRefused or FailureCode.ImageRefused or FailureCode.VolumeRefused => TtrpcStatusCode.PermissionDenied,
        FailureCode.InvalidRequest => TtrpcStatusCode.InvalidArgument,
        FailureCode.ContainerNotFound or FailureCode.ProgramNotFound or FailureCode.ConnectionRefused => TtrpcStatusCode.NotFound,
        FailureCode.NoSpace => TtrpcStatusCode.ResourceExhausted,
        FailureCode.ImagePull or FailureCode.KeyUnavailable => TtrpcStatusCode.Aborted,
        _ => TtrpcStatusCode.Internal,
    };

    private static bool IsNoSpace(Exception e) =>
        e is FileOperationException { IsOutOfSpace: true } or SystemCallException { Errno: Errno.ENOSPC }
        || (e is IOException io && (io.HResult & 0xffff) == Errno.ENOSPC);

    private static IEnumerable<Exception> Chain(Exception e)
    {
        for (Exception? current = e; current is not null; current = current.InnerException)
            yield return current;
    }
}
