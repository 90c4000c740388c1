using System.Security.Cryptography;

namespace Kist.KeyBroker.Protocol;

/// <summary>
/// The waits of one call on a broker that is busy: as long as it demands, and then at random up to a limit that doubles, so
/// that guests which were turned away together do not come back together.
/// </summary>
sealed class BackOff(KeyBrokerClientOptions options)
{
    private const int FirstLimitMilliseconds = 250;
    private const int MaxDoublings = 8;

    private int _tries;

    /// <summary>Waits. False, at once, if the broker is not to be asked again.</summary>
    /// <param name="demanded">The "Retry-After" of its answer, null if it had none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<bool> WaitAsync(TimeSpan? demanded, CancellationToken cancellationToken)
    {
        if (_tries >= options.MaxRetries || demanded > options.MaxRetryDelay)
            return false;
        var limit = FirstLimitMilliseconds << Math.Min(_tries++, MaxDoublings);
        var wait = (demanded ?? TimeSpan.Zero) + TimeSpan.FromMilliseconds(1 + RandomNumberGenerator.GetInt32(limit));
        await Task.Delay(wait < options.MaxRetryDelay ? wait : options.MaxRetryDelay, options.Time, cancellationToken).ConfigureAwait(false);
        return true;
    }
}
