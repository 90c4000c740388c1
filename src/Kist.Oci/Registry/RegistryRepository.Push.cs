using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace Kist.Oci;

public sealed partial class RegistryRepository
{
    /// <inheritdoc/>
    public async Task PushBlobAsync(Descriptor descriptor, Func<CancellationToken, Task<Stream>> open, CancellationToken cancellationToken)
    {
        UseOwnPlace();
        if (await HasBlobAsync(descriptor, cancellationToken).ConfigureAwait(false))
            return;
        var location = await StartUploadAsync(null, cancellationToken).ConfigureAwait(false);
        var content = await open(cancellationToken).ConfigureAwait(false);
        await using (content.ConfigureAwait(false))
        {
            if (descriptor.Size <= _http.Options.UploadChunkBytes)
                await PutWholeAsync(location.Location!, descriptor, content, cancellationToken).ConfigureAwait(false);
            else
                await PutChunksAsync(location.Location!, descriptor, content, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Takes over a blob from another repository of the same registry without sending it.
    /// </summary>
    /// <returns>False if the registry did not do it; the blob must then be pushed.</returns>
    public async Task<bool> TryMountAsync(Descriptor descriptor, string fromRepository, CancellationToken cancellationToken)
    {
        UseOwnPlace();
        var query = $"?mount={descriptor.Digest}&from={Uri.EscapeDataString(fromRepository)}";
        var (mounted, location) = await StartUploadAsync(query, cancellationToken).ConfigureAwait(false);
        if (!mounted && location is not null)
        {
            // The registry opened an upload instead: end it, so that nothing is left over there.
            using var response = await _http.SendAsync(
                "cancel upload", _repository, "pull,push", () => new HttpRequestMessage(HttpMethod.Delete, location), cancellationToken)
                .ConfigureAwait(false);
        }

        return mounted;
    }

    /// <summary>Takes over a blob from another repository, if it is one of the same registry.</summary>
    public async Task<bool> TryMountAsync(Descriptor descriptor, RegistryRepository from, CancellationToken cancellationToken) =>
        from._http.Base == _places[^1].Http.Base && from._repository != _places[^1].Place.Repository
        && await TryMountAsync(descriptor, from._repository, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public Task PushManifestAsync(ManifestContent content, bool isRoot, CancellationToken cancellationToken) =>
        PutManifestAsync(content, isRoot && _reference.Tag is { } tag ? tag : content.Digest.ToString(), cancellationToken);

    /// <summary>Writes a manifest under a tag of this repository, or under its digest.</summary>
    public async Task PutManifestAsync(ManifestContent content, string tagOrDigest, CancellationToken cancellationToken) =>
        await PutAsync(content, tagOrDigest, cancellationToken).ConfigureAwait(false);

    /// <summary>
    /// Writes a manifest that has a subject, under its digest. A registry that does not list referrers by itself gets the list
    /// under the fallback tag (distribution specification 1.1, Pushing Manifests with Subject).
    /// </summary>
    public async Task PutReferrerAsync(ManifestContent content, CancellationToken cancellationToken)
    {
        var manifest = ImageManifest.Parse(content.Bytes.Span);
        var subject = manifest.Subject ?? throw new ArgumentException("the manifest has no subject");
        if (await PutAsync(content, content.Digest.ToString(), cancellationToken).ConfigureAwait(false))
            return;
        var tag = FallbackTag(subject.Digest);
        var present = await FindTagAsync(tag, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<Descriptor> listed = present is null || !MediaTypes.IsIndex(present.MediaType) ? [] : ImageIndex.Parse(present.Bytes.Span).Manifests;
        if (listed.Any(d => d.Digest == content.Digest))
            return;
        var entry = content.Descriptor with { ArtifactType = manifest.ArtifactType ?? manifest.Config.MediaType, Annotations = manifest.Annotations };
        var index = new ImageIndex { MediaType = MediaTypes.Index, Manifests = [.. listed, entry] };
        await PutAsync(ManifestContent.Create(MediaTypes.Index, index.ToBytes()), tag, cancellationToken).ConfigureAwait(false);
    }

    // True if the registry has taken note of the manifest's subject.
    private async Task<bool> PutAsync(ManifestContent content, string tagOrDigest, CancellationToken cancellationToken)
    {
        UseOwnPlace();
        using var response = await _http.SendAsync("push manifest", _repository, "pull,push", () =>
        {
            var request = Request(HttpMethod.Put, $"manifests/{tagOrDigest}");
            request.Content = new ByteArrayContent(content.Bytes.ToArray());
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(content.MediaType);
            return request;
        }, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.Created)
            throw await ErrorAsync("push manifest", tagOrDigest, response, cancellationToken).ConfigureAwait(false);
        return response.Headers.Contains("OCI-Subject");
    }

    private void UseOwnPlace() => (_http, _repository) = (_places[^1].Http, _places[^1].Place.Repository);

    /// <inheritdoc/>
    public Task CommitAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<(bool Mounted, Uri? Location)> StartUploadAsync(string? query, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(
            "start upload", "pull,push", HttpMethod.Post, "blobs/uploads/" + query, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.Created)
            return (true, null);
        if (response.StatusCode != HttpStatusCode.Accepted)
            throw await ErrorAsync("start upload", "", response, cancellationToken).ConfigureAwait(false);
        return (false, UploadLocation(response));
    }

    private async Task PutWholeAsync(Uri location, Descriptor descriptor, Stream content, CancellationToken cancellationToken)
    {
        var bytes = new byte[descriptor.Size];
        await content.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
        await FinishAsync(location, descriptor, bytes, cancellationToken).ConfigureAwait(false);
    }

    // Each piece is kept until the registry has it, so a broken connection costs one piece (Pushing a blob in chunks).
    private async Task PutChunksAsync(Uri location, Descriptor descriptor, Stream content, CancellationToken cancellationToken)
    {
        var buffer = new byte[_http.Options.UploadChunkBytes];
        for (long sent = 0; sent < descriptor.Size;)
        {
            var count = (int)Math.Min(buffer.Length, descriptor.Size - sent);
            await content.ReadExactlyAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
            location = await PatchAsync(location, descriptor, sent, buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
            sent += count;
        }

        await FinishAsync(location, descriptor, [], cancellationToken).ConfigureAwait(false);
    }

    private async Task<Uri> PatchAsync(Uri location, Descriptor descriptor, long start, ReadOnlyMemory<byte> chunk, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var response = await SendChunkAsync(location, start, chunk, cancellationToken).ConfigureAwait(false);
                if (response.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.NoContent)
                    return UploadLocation(response);
                if (response.StatusCode != HttpStatusCode.RequestedRangeNotSatisfiable || attempt >= _http.Options.MaxAttempts)
                    throw await ErrorAsync("push blob", descriptor.Digest.ToString(), response, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (RegistryHttp.IsTransient(e, cancellationToken))
            {
                if (attempt >= _http.Options.MaxAttempts)
                    throw _http.Unreachable("push blob", e);
                await _http.DelayAsync(attempt, null, cancellationToken).ConfigureAwait(false);
            }

            (location, var received) = await UploadStatusAsync(location, descriptor, cancellationToken).ConfigureAwait(false);
            if (received < start || received > start + chunk.Length)
                throw new RegistryException("push blob", $"{_reference.Name} {descriptor.Digest}", $"the registry has {received} bytes where {start} had been sent");
            chunk = chunk[(int)(received - start)..];
            start = received;
            if (chunk.IsEmpty)
                return location;
        }
    }

    private async Task<HttpResponseMessage> SendChunkAsync(Uri location, long start, ReadOnlyMemory<byte> chunk, CancellationToken cancellationToken)
    {
        var scope = _http.RegistryName;
        return await _http.SendAsync($"push blob to {scope}", _repository, "pull,push", () =>
        {
            var request = new HttpRequestMessage(HttpMethod.Patch, location) { Content = new ReadOnlyMemoryContent(chunk) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            request.Content.Headers.TryAddWithoutValidation(
                "Content-Range", string.Create(CultureInfo.InvariantCulture, $"{start}-{start + chunk.Length - 1}"));
            return request;
        }, cancellationToken).ConfigureAwait(false);
    }

    private async Task<(Uri Location, long Received)> UploadStatusAsync(Uri location, Descriptor descriptor, CancellationToken cancellationToken)
    {
        using var response = await _http.SendAsync(
            "resume upload", _repository, "pull,push", () => new HttpRequestMessage(HttpMethod.Get, location), cancellationToken)
            .ConfigureAwait(false);
        if (response.StatusCode is not (HttpStatusCode.NoContent or HttpStatusCode.Accepted))
            throw await ErrorAsync("resume upload", descriptor.Digest.ToString(), response, cancellationToken).ConfigureAwait(false);
        // Range: 0-N, N being the last byte received; the reference registry says "0-0" both for none and for one.
        var range = response.Headers.TryGetValues("Range", out var values) ? values.First() : "0-0";
        var last = long.TryParse(range.AsSpan(range.IndexOf('-', StringComparison.Ordinal) + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0;
        return (UploadLocation(response), last == 0 ? 0 : last + 1);
    }

    private async Task FinishAsync(Uri location, Descriptor descriptor, byte[] rest, CancellationToken cancellationToken)
    {
        using var response = await _http.SendAsync("push blob", _repository, "pull,push", () =>
        {
            var request = new HttpRequestMessage(HttpMethod.Put, WithQuery(location, $"digest={Uri.EscapeDataString(descriptor.Digest.ToString())}"))
            {
                Content = new ByteArrayContent(rest),
            };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            return request;
        }, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode is not (HttpStatusCode.Created or HttpStatusCode.NoContent))
            throw await ErrorAsync("push blob", descriptor.Digest.ToString(), response, cancellationToken).ConfigureAwait(false);
    }

    private Uri UploadLocation(HttpResponseMessage response)
    {
        var location = response.Headers.Location is { } l ? new Uri(_http.Base, l) : null;
        if (location is null || !HostRules.Allows(_http.Base, location, _http.Options.TrustedHosts))
            throw new RegistryException("push blob", _reference.Name, location is null ? "the registry gave no place for the upload" : $"the registry wants the upload sent to {location.Authority}, which is not trusted for it");
        return location;
    }

    private static Uri WithQuery(Uri uri, string parameter) =>
        new UriBuilder(uri) { Query = uri.Query.Length > 1 ? uri.Query[1..] + "&" + parameter : parameter }.Uri;
}
