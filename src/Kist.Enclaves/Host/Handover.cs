using System.Runtime.ExceptionServices;
using Kist.Formats;

namespace Kist.Enclaves.Host;

/// <summary>
/// One value that a thread waits for and another gives. Unlike a task it never involves the thread pool, so the giver can
/// be a thread whose restrictions must not spread.
/// </summary>
sealed class Handover<T>
{
    private readonly object _lock = new();
    private bool _isGiven;
    private T? _value;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Blocks until it is given.</summary>
    /// <exception cref="OperationFailedException">What the giver failed with.</exception>
    public T Take()
    {
        lock (_lock)
        {
            while (!_isGiven)
                Monitor.Wait(_lock);
            _failure?.Throw();
            return _value!;
        }
    }

    public void Give(T value) => End(value, null);

    public void Fail(OperationFailedException failure) => End(default, ExceptionDispatchInfo.Capture(failure));

    private void End(T? value, ExceptionDispatchInfo? failure)
    {
        lock (_lock)
        {
            (_isGiven, _value, _failure) = (true, value, failure);
            Monitor.PulseAll(_lock);
        }
    }
}
