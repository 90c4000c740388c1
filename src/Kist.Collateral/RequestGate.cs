namespace Kist.Collateral;

/// <summary>Lets requests to one server through one after the other, with the least spacing between them.</summary>
/// <param name="spacing">The least time from one request's start to the next one's.</param>
/// <param name="time">The clock.</param>
internal sealed class RequestGate(TimeSpan spacing, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private DateTimeOffset _next = DateTimeOffset.MinValue;

    /// <summary>Waits for one's turn.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var delay = _next - time.GetUtcNow();
            if (delay > TimeSpan.Zero)
                await Task.Delay(delay, time, cancellationToken).ConfigureAwait(false);
            _next = time.GetUtcNow() + spacing;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Keeps everyone away for a while, as the server asked.</summary>
    public void Hold(TimeSpan delay)
    {
        var until = time.GetUtcNow() + delay;
        if (until > _next)
            _next = until;
    }

    public void Dispose() => _turn.Dispose();
}
