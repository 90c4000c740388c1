using System.Runtime.InteropServices;

namespace Kist.Linux.Wasm;

/// <summary>Lets an engine's next epoch begin when a time is over, so that modules whose deadline that is trap.</summary>
sealed unsafe partial class WasmDeadline : IDisposable
{
    private readonly ManualResetEventSlim _ended = new();
    private readonly Thread _thread;

    /// <param name="engine">The engine, which outlives this.</param>
    /// <param name="time">The time.</param>
    public WasmDeadline(nint engine, TimeSpan time)
    {
        _thread = new Thread(() =>
        {
            if (!_ended.Wait(time))
                wasmtime_engine_increment_epoch((void*)engine);
        }, 128 << 10)
        { IsBackground = true, Name = "deadline" };
        _thread.Start();
    }

    public void Dispose()
    {
        _ended.Set();
        _thread.Join();
        _ended.Dispose();
    }

    [LibraryImport("wasmtime")]
    private static partial void wasmtime_engine_increment_epoch(void* engine);
}
