using Kist.Formats;
using Kist.Linux.Enclaves;

namespace Kist.Enclaves.Loading;

/// <summary>
/// One thread of an enclave (a TCS) in the hands of one caller. After an exception its state is saved in the enclave until it is
/// resumed: a thread that is given back before that is not used again.
/// </summary>
public sealed class EnclaveThread : IDisposable
{
    private readonly EnclaveEntry _entry;
    private readonly ulong _tcs;
    private readonly Action<ulong> _giveBack;
    private bool _isInterrupted;
    private bool _isDisposed;

    internal EnclaveThread(EnclaveEntry entry, ulong tcs, Action<ulong> giveBack)
    {
        _entry = entry;
        _tcs = tcs;
        _giveBack = giveBack;
    }

    /// <summary>Enters by EENTER.</summary>
    /// <param name="registers">RDI, RSI, RDX, R8 and R9, which reach the enclave unchanged.</param>
    public EnclaveExit Call((ulong Rdi, ulong Rsi, ulong Rdx, ulong R8, ulong R9) registers) => Enter(resume: false, registers);

    /// <summary>Goes on by ERESUME after an exception, the cause of which was mended.</summary>
    /// <exception cref="OperationFailedException">Nothing was interrupted.</exception>
    public EnclaveExit Resume() => _isInterrupted ? Enter(resume: true, default)
        : throw new OperationFailedException("resume enclave", $"TCS 0x{_tcs:x}", "nothing was interrupted");

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        if (!_isInterrupted)
            _giveBack(_tcs);
    }

    private EnclaveExit Enter(bool resume, (ulong Rdi, ulong Rsi, ulong Rdx, ulong R8, ulong R9) registers)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var exit = _entry.Call(_tcs, resume, registers);
        _isInterrupted = exit.Kind == EnclaveExitKind.Exception;
        return exit;
    }
}
