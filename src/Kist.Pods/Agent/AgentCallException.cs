using Google.Protobuf.WellKnownTypes;
using Kist.Formats;
using Kist.Pods.Protocol;
using Kist.Pods.Protocol.Agent;
using Kist.Ttrpc;

namespace Kist.Pods.Agent;

/// <summary>The agent refused a call or failed in it; step, subject, reason and hint are the agent's own.</summary>
public sealed class AgentCallException : OperationFailedException
{
    private AgentCallException(Failure failure, Exception inner)
        : base(failure.Step, failure.Subject, failure.Reason, failure.Hint.Length > 0 ? failure.Hint : null, inner: inner) => Code = failure.Code;

    private AgentCallException(string method, TtrpcException inner)
        : base($"ask guest agent for {method}", "guest", inner.Reason, inner: inner) => Code = FailureCode.Internal;

    /// <summary>One of <see cref="FailureCode"/>.</summary>
    public string Code { get; }

    internal static AgentCallException From(string method, TtrpcException error)
    {
        foreach (var detail in error.Details)
        {
            if (detail.TryUnpack<Failure>(out var failure))
                return new AgentCallException(failure, error);
        }

        return new AgentCallException(method, error);
    }
}
