using Google.Protobuf.WellKnownTypes;
using Kist.Formats;

namespace Kist.Ttrpc;

/// <summary>
/// A call that did not succeed. Thrown to callers with what the callee answered, or with
/// <see cref="TtrpcStatusCode.Unavailable"/> when the connection was lost; thrown by handlers to answer with a status.
/// </summary>
public sealed class TtrpcException : OperationFailedException
{
    /// <summary>A status for a handler to answer with.</summary>
    /// <param name="code">The code; never <see cref="TtrpcStatusCode.Ok"/>.</param>
    /// <param name="message">What the peer is told.</param>
    /// <param name="details">Structured causes for the peer.</param>
    public TtrpcException(TtrpcStatusCode code, string message, params IReadOnlyList<Any> details)
        : this("answer call", "ttrpc", code, message, details)
    {
    }

    internal TtrpcException(
        string step, string subject, TtrpcStatusCode code, string message, IReadOnlyList<Any>? details = null, Exception? inner = null)
        : base(step, subject, message, isTransient: code == TtrpcStatusCode.Unavailable, inner: inner)
    {
        Code = code;
        Details = details ?? [];
    }

    /// <summary>The outcome.</summary>
    public TtrpcStatusCode Code { get; }

    /// <summary>Structured causes that the callee attached.</summary>
    public IReadOnlyList<Any> Details { get; }
}
