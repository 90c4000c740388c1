using System.Collections.Concurrent;
using Kist.Formats;
using Kist.Host;
using Kist.Oci;

namespace Kist.Kubernetes;

/// <summary>Looks images up once each: in the registry, or where the owner says.</summary>
/// <param name="pins">
/// By reference: "sha256:…", the manifest to take; "oci:DIRECTORY[:TAG]", a layout to read instead of a registry; or
/// "sealed:IMAGE=oci:DIRECTORY[:TAG]", the sealed image that the guest runs in its stead, and the layout that it was sealed from.
/// </param>
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
        const string sealedPrefix = "sealed:", layoutPrefix = "oci:";
        if (pin.StartsWith(sealedPrefix, StringComparison.Ordinal))
            return await ReadSealedAsync(pin[sealedPrefix.Length..], cancellationToken).ConfigureAwait(false);
        if (!pin.StartsWith(layoutPrefix, StringComparison.Ordinal))
            throw new OperationFailedException("read pin of image", pin, "it is neither a digest (sha256:…) nor a layout (oci:DIRECTORY[:TAG]) nor a sealed image (sealed:IMAGE=oci:DIRECTORY[:TAG])");
        return await ResolvedImage.ResolveAsync(reference, Layout(pin[layoutPrefix.Length..]), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Its configuration is secret to all but its owner, who has the image from which it was made.</summary>
    private async Task<ResolvedImage> ReadSealedAsync(string pin, CancellationToken cancellationToken)
    {
        const string separator = "=oci:";
        var end = pin.IndexOf(separator, StringComparison.Ordinal);
        if (end <= 0)
            throw new OperationFailedException("read pin of image", $"sealed:{pin}", "it does not say what was sealed", "write sealed:IMAGE=oci:DIRECTORY[:TAG]");
        var image = await ResolvedImage.ResolveAsync(ImageReference.Parse(pin[..end]), registry, cancellationToken).ConfigureAwait(false);
        if (image.SealedBlobs is null)
            throw new OperationFailedException("read pin of image", pin[..end], "it is no sealed image", "seal it: kist image seal");
        var source = await ResolvedImage.ResolveAsync(image.Reference, Layout(pin[(end + separator.Length)..]), cancellationToken).ConfigureAwait(false);
        return image with { Defaults = source.Defaults, Source = source.ManifestDigest };
    }

    private static OciLayout Layout(string location)
    {
        var colon = location.LastIndexOf(':');
        return colon > 0 ? new OciLayout(location[..colon], location[(colon + 1)..]) : new OciLayout(location, null);
    }
}
