using System.Net;
using Kist.Formats;
using Kist.Oci;

namespace Kist.Images.Signatures;

/// <summary>
/// Simple signatures in a lookaside store (containers-registries.d(5)): BASE/repository@sha256=HEX/signature-1, -2, …
/// </summary>
/// <param name="location">Gives the base for an image: file:///…, https://…; null where there is no store for it.</param>
/// <param name="connect">How to make a connection to host and port, or null for TCP by the system's resolver.</param>
public sealed class LookasideStore(
    Func<ImageReference, Uri?> location, Func<string, int, CancellationToken, ValueTask<Stream>>? connect = null) : ISimpleSignatureStore
{
    private const int MaxSignatures = 64;
    private const int MaxSignatureBytes = 1024 * 1024;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<byte[]>> ReadAsync(ImageReference image, Digest manifest, CancellationToken cancellationToken)
    {
        var signatures = new List<byte[]>();
        if (location(image) is not { } start)
            return signatures;
        using var http = new HttpClient(CreateHandler()) { Timeout = TimeSpan.FromSeconds(30), MaxResponseContentBufferSize = MaxSignatureBytes };
        while (signatures.Count < MaxSignatures)
        {
            var uri = new Uri($"{start.ToString().TrimEnd('/')}/{image.Repository}@{manifest.Algorithm}={manifest.Hex}/signature-{signatures.Count + 1}");
            if (await ReadAsync(http, uri, cancellationToken).ConfigureAwait(false) is not { } signature)
                break;
            signatures.Add(signature);
        }

        return signatures;
    }

    /// <summary>Adds a signature to a store that is a directory here.</summary>
    /// <returns>The new file.</returns>
    public static string Add(string directory, ImageReference image, Digest manifest, ReadOnlySpan<byte> signature)
    {
        var folder = Directory.CreateDirectory(Path.Combine(directory, $"{image.Repository}@{manifest.Algorithm}={manifest.Hex}")).FullName;
        for (var number = 1; number <= MaxSignatures; number++)
        {
            var path = Path.Combine(folder, $"signature-{number}");
            try
            {
                using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1);
                file.Write(signature);
                return path;
            }
            catch (IOException) when (File.Exists(path))
            {
                // Taken.
            }
        }

        throw new OperationFailedException("add signature", folder, $"there are {MaxSignatures} already, and no reader looks further");
    }

    private SocketsHttpHandler CreateHandler()
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false };
        if (connect is not null)
        {
            handler.UseProxy = false;
            handler.ConnectCallback = (context, token) => connect(context.DnsEndPoint.Host, context.DnsEndPoint.Port, token);
        }

        return handler;
    }

    private static async Task<byte[]?> ReadAsync(HttpClient http, Uri uri, CancellationToken cancellationToken)
    {
        if (uri.IsFile)
        {
            var file = new FileInfo(uri.LocalPath);
            return file is { Exists: true, Length: <= MaxSignatureBytes } ? await File.ReadAllBytesAsync(file.FullName, cancellationToken).ConfigureAwait(false) : null;
        }

        try
        {
            using var response = await http.GetAsync(uri, cancellationToken).ConfigureAwait(false);
            if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Forbidden)
                return null;
            return response.IsSuccessStatusCode
                ? await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false)
                : throw new OperationFailedException("read signature", uri.ToString(), $"the store answered {(int)response.StatusCode}", isTransient: true);
        }
        catch (HttpRequestException e)
        {
            throw new OperationFailedException("read signature", uri.ToString(), (e.InnerException ?? e).Message, isTransient: true, inner: e);
        }
    }
}
