namespace Kist.KeyBroker.Hosting;

/// <summary>Lets the audit log's retention do its work now and then, beside the requests.</summary>
sealed class RetentionTimer : IAsyncDisposable
{
    private static readonly TimeSpan First = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(10);

    private readonly BrokerServices _services;
    private readonly CancellationTokenSource _end = new();
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly ITimer _timer;

    public RetentionTimer(BrokerServices services)
    {
        _services = services;
        _timer = services.Options.Time.CreateTimer(_ => Run(), null, First, Period);
    }

    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync().ConfigureAwait(false);
        await _end.CancelAsync().ConfigureAwait(false);
        // What is running ends within one of its small transactions.
        await _one.WaitAsync().ConfigureAwait(false);
        _one.Dispose();
        _end.Dispose();
    }

    private void Run()
    {
        try
        {
            if (_end.IsCancellationRequested || !_one.Wait(0))
                return;
        }
        catch (ObjectDisposedException)
        {
            return;
        }

        try
        {
            _services.Retention.Run(_end.Token);
        }
        catch (OperationCanceledException)
        {
            // It goes on after the next start.
        }
        catch (Exception e)
        {
            // Whatever it is, requests go on; it is tried again.
            _services.Options.Log?.Invoke(EventLine.Write(_services.Options.Time.GetUtcNow(), "audit.retention.failed", e.Message));
        }
        finally
        {
            _one.Release();
        }
    }
}
