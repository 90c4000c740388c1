using System.Buffers;
using System.Net;
using Kist.Formats;

namespace Kist.Oci;

/// <summary>
/// The body of a blob from a registry. When the connection breaks or stalls it asks for the rest by a range and goes on;
/// it gives up after several tries without progress, or when the registry is slower than the limit.
/// Synchronous reads end with the token that opened it. It counts bytes but does not hash: <see cref="VerifyingStream"/> goes around it.
/// </summary>
sealed class BlobDownloadStream(
    RegistryHttp http, string repository, Descriptor descriptor, long offset, long end, CancellationToken lifetime) : ForwardStream
{
    private const int MaxSynchronousRead = 256 * 1024;

    private static readonly TimeSpan s_window = TimeSpan.FromMinutes(1);

    private readonly RegistryOptions _options = http.Options;
    private readonly long _start = offset;
    private long _position = offset;
    private HttpResponseMessage? _response;
    private Stream? _body;
    private CancellationTokenSource _stall = new();
    private int _failures;
    private long _windowStart = http.Options.Time.GetTimestamp();
    private long _windowBytes;

    public override long Length => end - _start;

    public override long Position
    {
        get => _position - _start;
        set => throw new NotSupportedException();
    }

    /// <summary>Sends the first request, so that a missing blob is known at once.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_position < end)
            await OpenAsync(cancellationToken).ConfigureAwait(false);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            // One byte more than is left is asked for, so that a body that is too long shows.
            if (_position >= end && _body is null)
                return 0;
            try
            {
                if (_body is null)
                    await OpenAsync(cancellationToken).ConfigureAwait(false);
                var count = await ReadBodyAsync(buffer, cancellationToken).ConfigureAwait(false);
                if (count > 0)
                {
                    Account(count);
                    return count;
                }

                if (_position >= end)
                    return 0;
                throw new IOException($"the connection ended after {_position} of {descriptor.Size} bytes");
            }
            catch (Exception e) when (RegistryHttp.IsTransient(e, cancellationToken))
            {
                await RecoverAsync(e, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public override int Read(Span<byte> buffer)
    {
        var block = ArrayPool<byte>.Shared.Rent(Math.Min(buffer.Length, MaxSynchronousRead));
        try
        {
            var count = ReadAsync(block.AsMemory(0, Math.Min(buffer.Length, block.Length)), lifetime).AsTask().GetAwaiter().GetResult();
            block.AsSpan(0, count).CopyTo(buffer);
            return count;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Drop();
            _stall.Dispose();
        }

        base.Dispose(disposing);
    }

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        var start = _position;
        var wholeBlob = start == 0 && end == descriptor.Size;
        var response = await http.SendAsync("pull blob", repository, "pull", () =>
        {
            var request = new HttpRequestMessage(HttpMethod.Get, new Uri(http.Base, $"v2/{repository}/blobs/{descriptor.Digest}"));
            if (!wholeBlob)
                request.Headers.Range = new(start, end - 1);
            return request;
        }, cancellationToken).ConfigureAwait(false);
        _response = response;
        if (response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.PartialContent))
            throw await http.ErrorAsync("pull blob", $"{http.RegistryName}/{repository} {descriptor.Digest}", response, cancellationToken).ConfigureAwait(false);
        var partial = response.StatusCode == HttpStatusCode.PartialContent;
        if (partial && response.Content.Headers.ContentRange is { } range && range.From != start)
            throw Lie($"asked for bytes from {start}, the registry sent them from {range.From}");
        var expected = partial ? end - start : descriptor.Size;
        if (response.Content.Headers.ContentLength is { } length && length != expected)
            throw Lie($"the registry announces {length} bytes where {expected} are expected");
        _body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        if (!partial && start > 0)
            await SkipAsync(start, cancellationToken).ConfigureAwait(false);
    }

    // A registry that does not know ranges sends all from the start.
    private async Task SkipAsync(long count, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        while (count > 0)
        {
            var read = await ReadBodyAsync(buffer.AsMemory(0, (int)Math.Min(count, buffer.Length)), cancellationToken).ConfigureAwait(false);
            if (read == 0)
                throw new IOException("the connection ended early");
            count -= read;
        }
    }

    private async ValueTask<int> ReadBodyAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (!_stall.TryReset())
        {
            _stall.Dispose();
            _stall = new CancellationTokenSource();
        }

        _stall.CancelAfter(_options.StallTimeout);
        var registration = cancellationToken.UnsafeRegister(static s => ((CancellationTokenSource)s!).Cancel(), _stall);
        await using (registration.ConfigureAwait(false))
            return await _body!.ReadAsync(buffer, _stall.Token).ConfigureAwait(false);
    }

    private void Account(int count)
    {
        _position += count;
        if (_position > end)
            throw Lie($"the registry sends more than the {end - _start} bytes asked for");
        _windowBytes += count;
        if (_windowBytes >= 1024 * 1024)
            _failures = 0;
        var elapsed = _options.Time.GetElapsedTime(_windowStart);
        if (elapsed < s_window)
            return;
        if (_windowBytes < _options.MinimumBytesPerSecond * elapsed.TotalSeconds)
            throw Lie($"slower than {_options.MinimumBytesPerSecond} bytes a second");
        _windowStart = _options.Time.GetTimestamp();
        _windowBytes = 0;
    }

    private async Task RecoverAsync(Exception e, CancellationToken cancellationToken)
    {
        Drop();
        if (++_failures >= _options.MaxAttempts)
            throw http.Unreachable("pull blob", e);
        await http.DelayAsync(_failures, null, cancellationToken).ConfigureAwait(false);
    }

    private void Drop()
    {
        _body?.Dispose();
        _response?.Dispose();
        _body = null;
        _response = null;
    }

    private RegistryException Lie(string reason) => new("pull blob", $"{http.RegistryName}/{repository} {descriptor.Digest}", reason);
}
