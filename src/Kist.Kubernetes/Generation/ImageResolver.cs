using System.Collections.Concurrent;
using Kist.Formats;
using Kist.Host;
using Kist.Oci;

namespace Kist.Kubernetes;

/// <summary>Looks images up once each: in the registry, or where the owner says.</summary>
/// <param name="pins">By reference: "sha256:…", the manifest to take; or "oci:DIRECTORY[:TAG]", a layout to read instead of a registry.</param>
/// <param name="registry">How registries are spoken to.</param>
public sealed class ImageResolver(IReadOnlyDictionary<string, string> pins, RegistryOptions registry)
{
    private readonly ConcurrentDictionary<string, Task<ResolvedImage>> _images = new(StringComparer.Ordinal);

    /// <summary>The image of a reference.</summary>
    /// <exception cref="OperationFailedException">There is no such image.</exception>
    public Task<ResolvedImage> ResolveAsync(string reference, CancellationToken cancellationToken) =>
        _images.GetOrAdd(reference, r => ReadAsync(r, cancellationToken));

    private async Task<ResolvedImage> ReadAsync(string text, CancellationToken cancellationToken)
    {
        var reference = ImageReference.Parse(text);
        if (!pins.TryGetValue(text, out var pin))
            return await ResolvedImage.ResolveAsync(reference, registry, cancellationToken).ConfigureAwait(false);
        if (pin.StartsWith("sha256:", StringComparison.Ordinal))
            return await ResolvedImage.ResolveAsync(ImageReference.Parse($"{reference.Name}@{pin}"), registry, cancellationToken).ConfigureAwait(false);
        const string layoutPrefix = "oci:";
        if (!pin.StartsWith(layoutPrefix, StringComparison.Ordinal))
            throw new OperationFailedException("read pin of image", pin, "it is neither a digest (sha256:…) nor a layout (oci:DIRECTORY[:TAG])");
        var location = pin[layoutPrefix.Length..];
        var colon = location.LastIndexOf(':');
        var layout = colon > 0 ? new OciLayout(location[..colon], location[(colon + 1)..]) : new OciLayout(location, null);
        return await ResolvedImage.ResolveAsync(reference, layout, cancellationToken).ConfigureAwait(false);
    }
}
