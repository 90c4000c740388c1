using System.Diagnostics;
using System.Text.Json;
using Kist.Formats;
using Kist.Oci;
using Kist.Shim.Bundles;

namespace Kist.Shim.Launching;

/// <summary>
/// Which image a task runs. The host says it, so it is a wish: the guest pulls that image itself, and its policy knows the
/// digest. The snapshot that containerd has unpacked is not used.
/// </summary>
internal static class ImageNames
{
    private const string Ctr = "/usr/bin/ctr";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The image as the host names it.</summary>
    public static async Task<ImageReference> OfAsync(Bundle bundle, ShimArguments arguments, CancellationToken cancellationToken)
    {
        var name = bundle.Image ?? await AskContainerdAsync(bundle.Id, arguments, cancellationToken).ConfigureAwait(false);
        return name is { Length: > 0 }
            ? ImageReference.Parse(name)
            : throw new OperationFailedException(
                "find image", bundle.Id, "neither an annotation nor containerd says which image the guest is to pull",
                $"give the annotation {Annotations.Image}=REGISTRY/NAME:TAG");
    }

    /// <summary>The image as the guest names it.</summary>
    public static ImageReference InGuest(ImageReference image, ShimConfiguration configuration) =>
        configuration.Registries.TryGetValue(image.Registry, out var registry)
            ? ImageReference.Parse(registry + image.ToString()[image.Registry.Length..])
            : image;

    /// <summary>ctr puts no name of the image into the bundle, but containerd remembers it; its client is asked.</summary>
    private static async Task<string?> AskContainerdAsync(string id, ShimArguments arguments, CancellationToken cancellationToken)
    {
        if (!File.Exists(Ctr) || arguments.Address.Length == 0)
            return null;
        using var process = Process.Start(new ProcessStartInfo(Ctr, ["--address", arguments.Address, "--namespace", arguments.Namespace, "containers", "info", id])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(cancellationToken).WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
        await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        await errors.ConfigureAwait(false);
        if (process.ExitCode != 0)
            return null;
        using var document = JsonDocument.Parse(output);
        return document.RootElement.TryGetProperty("Image", out var image) ? image.GetString() : null;
    }
}
