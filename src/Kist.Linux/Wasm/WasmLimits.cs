namespace Kist.Linux.Wasm;

/// <summary>What a WebAssembly module may use; null: as much as it wants.</summary>
public sealed record WasmLimits
{
    /// <summary>Instructions, about: Wasmtime's fuel.</summary>
    public long? Fuel { get; init; }

    /// <summary>
    /// Time from its start. A module that computes traps when it is over; one that waits in a call of WASI does when the call returns.
    /// </summary>
    public TimeSpan? Time { get; init; }

    /// <summary>Bytes of each of its linear memories.</summary>
    public long? MemoryBytes { get; init; }
}
