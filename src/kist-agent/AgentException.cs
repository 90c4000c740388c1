using Kist.Formats;

namespace Kist.Agent;

/// <summary>A failure with the stable code that the host is told.</summary>
sealed class AgentException(
    string code, string step, string subject, string reason, string? hint = null, Exception? inner = null)
    : OperationFailedException(step, subject, reason, hint, inner: inner)
{
    /// <summary>One of <see cref="Pods.Protocol.FailureCode"/>.</summary>
    public string Code { get; } = code;
}
