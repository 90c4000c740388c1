using System.Net;
using Kist.Formats;

namespace Kist.Collateral;

/// <summary>Asks a vendor's server: one request at a time, spaced, bounded in time and size, patient once with "too many requests".</summary>
internal sealed class CollateralHttp(HttpClient http, CollateralFetchOptions options, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private readonly RequestGate _gate = new(options.Spacing, time);

    /// <summary>Gets a resource.</summary>
    /// <exception cref="OperationFailedException">It cannot be had; transient unless the server knows no such thing.</exception>
    public async Task<byte[]> GetAsync(Uri uri, CancellationToken cancellationToken) =>
        (await GetAsync(uri, null, cancellationToken).ConfigureAwait(false)).Data;

    /// <summary>Gets a resource and one header of the answer, null if the answer has none of that name.</summary>
    /// <exception cref="OperationFailedException">It cannot be had; transient unless the server knows no such thing.</exception>
    public async Task<(byte[] Data, string? Header)> GetAsync(Uri uri, string? header, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(options.Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            await _gate.WaitAsync(both.Token).ConfigureAwait(false);
            return await SendAsync(uri, header, mayWait: true, both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failed(uri, $"no answer within {options.Timeout.TotalSeconds:0.#} seconds", true);
        }
        catch (HttpRequestException e)
        {
            throw Failed(uri, e.Message, true, e);
        }
        catch (IOException e)
        {
            throw Failed(uri, e.Message, true, e);
        }
    }

    public void Dispose() => _gate.Dispose();

    private async Task<(byte[] Data, string? Header)> SendAsync(Uri uri, string? header, bool mayWait, CancellationToken cancellationToken)
    {
        using var response = await http.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.OK)
        {
            var value = header is not null && response.Headers.TryGetValues(header, out var values) ? string.Concat(values) : null;
            return (await ReadAsync(uri, response, cancellationToken).ConfigureAwait(false), value);
        }

        if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.BadRequest)
            throw Failed(uri, "the server knows no such thing", false);
        if (response.StatusCode != HttpStatusCode.TooManyRequests || !mayWait)
            throw Failed(uri, $"the server answered {(int)response.StatusCode}", true);
        var asked = response.Headers.RetryAfter?.Delta ?? TimeSpan.FromSeconds(10);
        _gate.Hold(asked > LongestWait ? LongestWait : asked);
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        return await SendAsync(uri, header, mayWait: false, cancellationToken).ConfigureAwait(false);
    }

    private async Task<byte[]> ReadAsync(Uri uri, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > options.SizeLimit)
            throw Failed(uri, $"the answer is {response.Content.Headers.ContentLength} bytes, more than the limit of {options.SizeLimit}", false);
        using var buffer = new MemoryStream();
        using var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var chunk = new byte[16 * 1024];
        while (await stream.ReadAsync(chunk, cancellationToken).ConfigureAwait(false) is var read and > 0)
        {
            if (buffer.Length + read > options.SizeLimit)
                throw Failed(uri, $"the answer is longer than the limit of {options.SizeLimit} bytes", false);
            buffer.Write(chunk, 0, read);
        }

        return buffer.Length > 0 ? buffer.ToArray() : throw Failed(uri, "the answer is empty", true);
    }

    private static OperationFailedException Failed(Uri uri, string reason, bool isTransient, Exception? inner = null) => new(
        "fetch collateral", uri.ToString(), reason,
        isTransient ? "try again later, or copy the collateral directory of a machine that has a network" : "check that the evidence is of real hardware of this vendor",
        isTransient, inner);
}
