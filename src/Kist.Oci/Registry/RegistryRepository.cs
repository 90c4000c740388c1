using System.Net;
using System.Net.Http.Headers;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>
/// One image's place in a registry (OCI distribution specification 1.1): reads and writes manifests and blobs, lists
/// referrers, reads ranges of blobs.
/// </summary>
public sealed partial class RegistryRepository : IImageSource, IRangeSource, IImageDestination, IDisposable
{
    private const int MaxListBytes = OciLimits.MaxDocumentBytes;
    private static readonly string[] s_acceptedManifests =
        [MediaTypes.Manifest, MediaTypes.Index, MediaTypes.DockerManifest, MediaTypes.DockerManifestList];

    private readonly ImageReference _reference;
    private readonly IReadOnlyList<(RegistryPlace Place, RegistryHttp Http)> _places;

    // Where reading goes: the first place that had the image. Writing always goes to the last, which is the image's own.
    private RegistryHttp _http;
    private string _repository;

    /// <summary>Creates the client; nothing is sent yet.</summary>
    public RegistryRepository(ImageReference reference, RegistryOptions options)
    {
        _reference = reference;
        _places = [.. options.Rules.PlacesFor(reference).Select(p => (p, new RegistryHttp(p.Registry, p.IsInsecure, options)))];
        (_http, _repository) = (_places[^1].Http, _places[^1].Place.Repository);
    }

    /// <summary>The image that this client was made for.</summary>
    public ImageReference Reference => _reference;

    /// <inheritdoc/>
    public string Location => _reference.ToString();

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, http) in _places)
            http.Dispose();
    }

    /// <inheritdoc/>
    public async Task<ManifestContent> ResolveAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; ; i++)
        {
            (_http, _repository) = (_places[i].Http, _places[i].Place.Repository);
            try
            {
                return await GetManifestAsync(_reference.TagOrDigest, _reference.Digest, null, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (i + 1 < _places.Count && (e is OperationFailedException or MalformedDataException))
            {
                // A mirror that is down, lacks the image or has another is passed over: the image's own place decides.
            }
        }
    }

    /// <inheritdoc/>
    public Task<ManifestContent> FetchManifestAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
        GetManifestAsync(descriptor.Digest.ToString(), descriptor.Digest, descriptor, cancellationToken);

    /// <summary>The manifest of a tag of this repository, or null if there is no such tag.</summary>
    public async Task<ManifestContent?> FindTagAsync(string tag, CancellationToken cancellationToken)
    {
        try
        {
            return await GetManifestAsync(tag, null, null, cancellationToken).ConfigureAwait(false);
        }
        catch (RegistryException e) when (e.Status == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public async Task<Stream> OpenBlobAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        var download = new BlobDownloadStream(_http, _repository, descriptor, 0, descriptor.Size, cancellationToken);
        await download.StartAsync(cancellationToken).ConfigureAwait(false);
        return new VerifyingStream(download, descriptor, Location);
    }

    /// <inheritdoc/>
    public async Task ReadRangeAsync(Descriptor descriptor, long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + buffer.Length, descriptor.Size);
        var download = new BlobDownloadStream(_http, _repository, descriptor, offset, offset + buffer.Length, cancellationToken);
        await using (download.ConfigureAwait(false))
            await download.ReadExactlyAsync(buffer, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<bool> HasBlobAsync(Descriptor descriptor, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(
            "look for blob", "pull,push", HttpMethod.Head, $"blobs/{descriptor.Digest}", cancellationToken).ConfigureAwait(false);
        return response.StatusCode switch
        {
            HttpStatusCode.OK => response.Content.Headers.ContentLength is not { } length || length == descriptor.Size,
            HttpStatusCode.NotFound => false,
            _ => throw await ErrorAsync("look for blob", descriptor.Digest.ToString(), response, cancellationToken).ConfigureAwait(false),
        };
    }

    /// <summary>The tags of this repository; at most what fits in one answer of 4 MiB.</summary>
    public async Task<IReadOnlyList<string>> ListTagsAsync(CancellationToken cancellationToken)
    {
        using var response = await SendAsync("list tags", "pull", HttpMethod.Get, "tags/list", cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
            throw await ErrorAsync("list tags", "", response, cancellationToken).ConfigureAwait(false);
        var body = await ReadBodyAsync(response, cancellationToken).ConfigureAwait(false);
        return OciJson.Parse(body, OciJson.Context.TagList, "tag list").Tags ?? [];
    }

    /// <summary>
    /// Descriptors of the manifests whose subject is <paramref name="subject"/>: by the referrers API, or where the
    /// registry lacks it, by the fallback tag (distribution specification 1.1, Listing Referrers).
    /// </summary>
    public async Task<IReadOnlyList<Descriptor>> ListReferrersAsync(Digest subject, CancellationToken cancellationToken)
    {
        using var response = await SendAsync("list referrers", "pull", HttpMethod.Get, $"referrers/{subject}", cancellationToken).ConfigureAwait(false);
        if (response.IsSuccessStatusCode && response.Content.Headers.ContentType?.MediaType == MediaTypes.Index)
            return ImageIndex.Parse(await ReadBodyAsync(response, cancellationToken).ConfigureAwait(false)).Manifests;
        if (response.StatusCode is not (HttpStatusCode.NotFound or HttpStatusCode.OK))
            throw await ErrorAsync("list referrers", subject.ToString(), response, cancellationToken).ConfigureAwait(false);
        var fallback = await FindTagAsync(FallbackTag(subject), cancellationToken).ConfigureAwait(false);
        return fallback is null || !MediaTypes.IsIndex(fallback.MediaType) ? [] : ImageIndex.Parse(fallback.Bytes.Span).Manifests;
    }

    /// <summary>The tag under which registries without a referrers API keep the list: the digest with "-" for ":".</summary>
    internal static string FallbackTag(Digest subject) => $"{subject.Algorithm}-{subject.Hex}"[..Math.Min(128, subject.ToString().Length)];

    private async Task<ManifestContent> GetManifestAsync(
        string tagOrDigest, Digest? digest, Descriptor? descriptor, CancellationToken cancellationToken)
    {
        var subject = $"{_reference.Name}{(digest is null ? ":" : "@")}{tagOrDigest}";
        using var response = await _http.SendAsync("pull manifest", _repository, "pull", () =>
        {
            var request = Request(HttpMethod.Get, $"manifests/{tagOrDigest}");
            foreach (var type in s_acceptedManifests)
                request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(type));
            return request;
        }, cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
            throw await ErrorAsync("pull manifest", tagOrDigest, response, cancellationToken).ConfigureAwait(false);
        var bytes = await ReadBodyAsync(response, cancellationToken).ConfigureAwait(false);
        if (descriptor is not null && bytes.Length != descriptor.Size)
            throw new ContentMismatchException(subject, descriptor.Digest, $"{bytes.Length} bytes instead of {descriptor.Size}");
        if (digest is { } expected && !expected.Matches(bytes))
            throw new ContentMismatchException(subject, expected, "the manifest has another digest");
        return new ManifestContent(MediaTypeOf(bytes, response, descriptor), digest ?? Digest.Of(bytes), bytes);
    }

    // The document's own word counts first: the header is the registry's, and no digest covers it.
    private static string MediaTypeOf(byte[] bytes, HttpResponseMessage response, Descriptor? descriptor)
    {
        var said = DocumentKind.MediaTypeOf(bytes);
        var header = response.Content.Headers.ContentType?.MediaType;
        var type = said ?? descriptor?.MediaType ?? header ?? MediaTypes.Manifest;
        if (descriptor is not null && said is not null && said != descriptor.MediaType)
            throw new MalformedDataException("image manifest", -1, $"mediaType is '{said}', its descriptor says '{descriptor.MediaType}'");
        return type;
    }

    private async Task<byte[]> ReadBodyAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(_http.Options.ResponseTimeout);
        try
        {
            return await BoundedBody.ReadAsync(response.Content, MaxListBytes, timeout.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (RegistryHttp.IsTransient(e, cancellationToken))
        {
            throw _http.Unreachable("read answer", e);
        }
    }

    private HttpRequestMessage Request(HttpMethod method, string path) => new(method, new Uri(_http.Base, $"v2/{_repository}/{path}"));

    private Task<HttpResponseMessage> SendAsync(
        string step, string actions, HttpMethod method, string path, CancellationToken cancellationToken) =>
        _http.SendAsync(step, _repository, actions, () => Request(method, path), cancellationToken);

    private Task<RegistryException> ErrorAsync(string step, string subject, HttpResponseMessage response, CancellationToken cancellationToken) =>
        _http.ErrorAsync(step, $"{_reference.Name} {subject}".TrimEnd(), response, cancellationToken);
}
