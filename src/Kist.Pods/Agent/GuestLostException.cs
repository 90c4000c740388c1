using Kist.Formats;

namespace Kist.Pods.Agent;

/// <summary>The guest ended, or its channel broke, while it was needed.</summary>
public sealed class GuestLostException : OperationFailedException
{
    internal GuestLostException(string method, Exception inner)
        : base($"ask guest agent for {method}", "guest", "the guest is gone", "its console may say why: kist logs --console", inner: inner)
    {
    }
}
