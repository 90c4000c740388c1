using Kist.Formats;
using Kist.Images.Secrets;
using Kist.KeyBroker.Protocol;

namespace Kist.Host;

/// <summary>A service of the guest that a container may use (docs/guest-services.md).</summary>
/// <param name="Name">"resource", "token", "evidence", "event-log", …</param>
/// <param name="Resource">What it may be asked for, such as kbs:///default/a/b; empty where a service has nothing to choose.</param>
public sealed record PinnedService(string Name, string Resource)
{
    private static readonly string[] WithoutResource = ["evidence", "token", "event-log"];

    /// <summary>A secret of the broker.</summary>
    /// <param name="uri">kbs:///repository/type/tag.</param>
    /// <exception cref="MalformedDataException">It is no such name.</exception>
    public static PinnedService OfResource(string uri) => new("resource", ResourceUri.Parse(uri).ToString());

    /// <summary>A key of the broker by which the guest unwraps keys of images for a container.</summary>
    /// <param name="uri">kbs:///repository/type/tag.</param>
    /// <exception cref="MalformedDataException">It is no such name.</exception>
    public static PinnedService OfKeyProvider(string uri) => new("key-provider", ResourceUri.Parse(uri).ToString());

    /// <summary>What a container needs to have a sealed secret of its environment or files unsealed.</summary>
    /// <param name="text">The sealed secret.</param>
    /// <exception cref="MalformedDataException">It is none that points to a resource of the broker.</exception>
    public static PinnedService OfSealed(string text) => SealedSecret.Parse(text).Payload is { Type: "vault", Provider: "kbs", Name: { } name }
        ? new PinnedService("unseal", ResourceUri.Parse(name).ToString())
        : throw new MalformedDataException("sealed secret", -1, "it does not point to a resource of the key broker");

    /// <summary>A service that has nothing to choose.</summary>
    /// <exception cref="OperationFailedException">There is no such service.</exception>
    public static PinnedService OfName(string name) => WithoutResource.Contains(name)
        ? new PinnedService(name, "")
        : throw new OperationFailedException("read service", name, $"it is none of {string.Join(", ", WithoutResource)}");
}
